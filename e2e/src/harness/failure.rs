//! How a test ends other than well, and where in the test that was.

use std::{error::Error as StdError, fmt, panic::Location};

/// What a story returns.
pub type Outcome = Result<(), Failure>;

/// The reason a story ended early. `?` turns any error into one and remembers the line it stands
/// on, so a report points into the story and not into the harness.
#[derive(Debug)]
pub struct Failure {
    message: String,
    location: &'static Location<'static>,
    skipped: bool,
}

impl Failure {
    /// A failure at the caller's line.
    #[track_caller]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            location: Location::caller(),
            skipped: false,
        }
    }

    /// The end of a story that cannot be told here, because `reason`.
    #[track_caller]
    pub(crate) fn skip(reason: impl Into<String>) -> Self {
        Self {
            skipped: true,
            ..Self::new(reason)
        }
    }

    /// What happened, with its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line of the story, as `file:line:column`.
    pub fn location(&self) -> String {
        self.location.to_string()
    }

    pub(crate) fn is_skip(&self) -> bool {
        self.skipped
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

// `Failure` itself is no `Error`, or this would overlap with `From<T> for T`.
impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(with_causes(&error))
    }
}

/// `error` and everything that caused it, on one line unless a text itself has several.
pub fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some error types already print their source.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// A promise that a shared check found broken.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// What a check that several tests share may end with: a broken promise, or a driver that failed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is the error of the driver it is named after"
)]
pub enum CheckError {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Call(#[from] super::CallError),
    #[error(transparent)]
    Cli(#[from] super::CliError),
    #[error(transparent)]
    Manifest(#[from] super::ManifestError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Project(#[from] super::ProjectError),
    #[error(transparent)]
    Service(#[from] crate::supervise::ServiceError),
    #[error(transparent)]
    Start(#[from] super::StartError),
    #[error(transparent)]
    Store(#[from] super::StoreError),
    #[error(transparent)]
    Temporal(#[from] stigmer_temporal::AdminError),
    #[error(transparent)]
    Wait(#[from] super::WaitError),
}

/// Ends the surrounding check with a [`Broken`](crate::harness::Broken) promise unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::harness::Broken(format!($($message)+)).into());
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing() -> Outcome {
        Err(std::io::Error::other("disk"))?;
        Ok(())
    }

    #[test]
    fn a_question_mark_remembers_its_own_line() {
        let failure = failing().unwrap_err();
        assert_eq!(failure.message(), "disk");
        let here = failure.location();
        assert!(here.contains("failure.rs:"), "{here}");
        let line = here
            .split(':')
            .nth(1)
            .and_then(|line| line.parse::<u32>().ok())
            .unwrap();
        assert!(line < line!() && line + 25 > line!(), "{here}");
    }

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("failed to start: {source}")]
        struct Outer {
            source: std::io::Error,
        }
        let error = Outer {
            source: std::io::Error::other("no such port"),
        };
        assert_eq!(with_causes(&error), "failed to start: no such port");
    }
}
