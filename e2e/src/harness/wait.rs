//! Waiting for a condition: polled from milliseconds on, always with a limit, and talkative when
//! the limit is reached.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::budget::Budget;

const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What one look at the condition found.
#[derive(Debug)]
pub enum Probe<T> {
    /// It holds.
    Done(T),
    /// It does not hold yet; the text is the last value for the report.
    NotYet(String),
    /// It can no longer hold, because of this.
    Hopeless(String),
}

/// The condition did not come true.
#[derive(Debug, thiserror::Error)]
pub struct WaitError {
    /// The condition, as a sentence.
    pub awaited: String,
    /// How long it was waited for.
    pub waited: Duration,
    /// Why the wait ended early, if it did.
    pub hopeless: Option<String>,
    /// Every different value seen, with the time since the start of the wait.
    pub history: Vec<(Duration, String)>,
    /// What else was known at the end, one line each.
    pub context: Vec<String>,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hopeless {
            Some(why) => write!(
                f,
                "gave up after {:.1?} waiting until {}: {why}",
                self.waited, self.awaited
            )?,
            None => write!(
                f,
                "timed out after {:.1?} waiting until {}",
                self.waited, self.awaited
            )?,
        }
        let last = self.history.last().map_or("nothing", |(_, value)| value);
        write!(f, "\n  last value: {last}\n  history:")?;
        for (at, value) in &self.history {
            write!(f, "\n    {:>7.3} s  {value}", at.as_secs_f64())?;
        }
        self.context
            .iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Looks at the condition until it holds or `budget` is used up.
pub async fn eventually<T>(
    awaited: impl Into<String>,
    budget: Budget,
    mut look: impl AsyncFnMut() -> Probe<T>,
) -> Result<T, WaitError> {
    let start = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    let mut error = WaitError::new(awaited.into());
    loop {
        // A look that hangs must not outlive the budget either.
        let left = budget.limit.saturating_sub(start.elapsed());
        let Ok(probe) = tokio::time::timeout(left, look()).await else {
            error.waited = start.elapsed();
            error
                .context
                .push("the last look did not come back".to_owned());
            return Err(error);
        };
        error.waited = start.elapsed();
        match probe {
            Probe::Done(value) => return Ok(value),
            Probe::Hopeless(why) => {
                error.hopeless = Some(why);
                return Err(error);
            }
            Probe::NotYet(value) => error.note(value),
        }
        if error.waited >= budget.limit {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl WaitError {
    pub(super) fn new(awaited: String) -> Self {
        Self {
            awaited,
            waited: Duration::ZERO,
            hopeless: None,
            history: Vec::new(),
            context: Vec::new(),
        }
    }

    /// Keeps `value` unless it is the last one again.
    pub(super) fn note(&mut self, value: String) {
        if self.history.last().is_none_or(|(_, last)| *last != value) {
            self.history.push((self.waited, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Budget = Budget {
        name: "SHORT",
        limit: Duration::from_millis(40),
    };

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts")
            .block_on(future)
    }

    #[test]
    fn a_timeout_says_what_was_awaited_and_each_different_value_once() {
        let mut looks = 0;
        let error = block_on(eventually::<()>(
            "the execution is COMPLETED",
            SHORT,
            async || {
                looks += 1;
                Probe::NotYet(if looks < 3 { "PENDING" } else { "IN_PROGRESS" }.to_owned())
            },
        ))
        .unwrap_err();
        let values = error
            .history
            .iter()
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>();
        assert_eq!(values, ["PENDING", "IN_PROGRESS"]);
        let text = error.to_string();
        assert!(
            text.contains("waiting until the execution is COMPLETED"),
            "{text}"
        );
        assert!(text.contains("last value: IN_PROGRESS"), "{text}");
    }

    #[test]
    fn a_hopeless_condition_ends_the_wait_at_once() {
        let error = block_on(eventually::<()>(
            "x",
            super::super::budget::TEST,
            async || Probe::Hopeless("FAILED".to_owned()),
        ))
        .unwrap_err();
        assert!(error.waited < Duration::from_secs(1));
        assert_eq!(error.hopeless.as_deref(), Some("FAILED"));
    }

    #[test]
    fn a_look_that_hangs_is_cut_off() {
        let error = block_on(eventually::<()>("x", SHORT, async || {
            std::future::pending().await
        }))
        .unwrap_err();
        assert!(error.waited < Duration::from_secs(5));
        assert_eq!(error.context, ["the last look did not come back"]);
    }
}
