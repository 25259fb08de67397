//! Why a verb cannot go on.

use std::fmt;

use crate::ExitCode;
use serde::Serialize;

/// An expected failure: one line that names the cause and the fix, and its exit code. Every other
/// error is a defect of the pipeline and ends with [`ExitCode::Internal`].
#[derive(Debug, Clone)]
pub struct Failure {
    /// What the process ends with.
    pub code: ExitCode,
    /// What went wrong, without a final period.
    pub cause: String,
    /// What to do about it, without a final period.
    pub fix: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.fix)
    }
}

impl std::error::Error for Failure {}

/// A failure as an error that `?` passes on.
pub fn failure(code: ExitCode, cause: impl Into<String>, fix: impl Into<String>) -> anyhow::Error {
    Failure {
        code,
        cause: cause.into(),
        fix: fix.into(),
    }
    .into()
}

/// The exit code that belongs to an error.
pub fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    error
        .downcast_ref::<Failure>()
        .map_or(ExitCode::Internal, |failure| failure.code)
}

/// An error as `--json` prints it.
#[derive(Serialize)]
pub struct ErrorEvent {
    event: &'static str,
    exit_code: u8,
    message: String,
}

impl ErrorEvent {
    /// Describes `error`.
    pub fn new(error: &anyhow::Error) -> Self {
        Self {
            event: "error",
            exit_code: exit_code_of(error) as u8,
            message: format!("{error:#}"),
        }
    }
}
