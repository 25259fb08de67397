//! Why an attempt at an activity was told to end.

use stigmer_temporal::{AdminError, pending_attempt};
use temporalio_sdk::activities::ActivityContext;

/// What Temporal thinks of an attempt that it told to end. The SDK calls all of it a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for this attempt to end: somebody cancelled the work.
    Awaited,
    /// It was not heard of for too long and given up for a later one, which does the work.
    Superseded,
    /// Temporal waits for no attempt at all: the activity failed, or its workflow is over.
    Forgotten,
}

impl Standing {
    /// That of attempt `own`, when Temporal is at `pending`.
    fn of(own: u32, pending: Option<u32>) -> Self {
        match pending {
            None => Self::Forgotten,
            Some(attempt) if attempt > own => Self::Superseded,
            Some(_) => Self::Awaited,
        }
    }
}

/// Asks Temporal what it thinks of the attempt of `ctx`.
///
/// # Errors
///
/// When Temporal does not answer.
pub async fn standing(ctx: &ActivityContext) -> Result<Standing, AdminError> {
    let info = ctx.info();
    let Some(workflow_id) = &info.workflow_id else {
        return Ok(Standing::Awaited);
    };
    let pending = pending_attempt(&ctx.client(), workflow_id, &info.activity_id).await?;
    Ok(Standing::of(info.attempt, pending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_attempt_is_no_cancellation() {
        assert_eq!(Standing::of(1, Some(1)), Standing::Awaited);
        assert_eq!(Standing::of(1, Some(2)), Standing::Superseded);
        assert_eq!(Standing::of(1, None), Standing::Forgotten);
    }
}
