//! How often the models of one execution may be asked.

use std::sync::atomic::{AtomicU32, Ordering};

use super::TurnError;

/// The requests that are left, shared by an agent and its sub-agents.
#[derive(Debug)]
pub struct Budget {
    limit: u32,
    left: AtomicU32,
}

impl Budget {
    /// `limit` requests.
    pub fn new(limit: u32) -> Self {
        Self {
            limit,
            left: AtomicU32::new(limit),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// When none is left.
    pub fn take(&self) -> Result<(), TurnError> {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .map(drop)
            .map_err(|_| TurnError::TooManyTurns(self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_requests_than_allowed() {
        let budget = Budget::new(2);
        budget.take().unwrap();
        budget.take().unwrap();
        let error = budget.take().unwrap_err().to_string();
        assert!(
            error.contains('2') && error.contains("STIGMER_AGENT_MAX_TURNS"),
            "{error}"
        );
        assert!(budget.take().is_err());
    }
}
