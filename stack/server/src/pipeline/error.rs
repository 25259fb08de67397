//! Why a request is refused, and how that reads on the wire.

use stigmer_api::validate::Violations;
use tonic::{Code, Status};

use crate::store::StoreError;

/// A failed step. Reads `pipeline step <step> failed: <cause>`.
#[derive(Debug, thiserror::Error)]
#[error("pipeline step {step} failed: {cause}")]
pub struct StepError {
    /// The name of the step.
    pub step: &'static str,
    /// Why it failed.
    #[source]
    pub cause: Cause,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The request breaks rules of the wire contract.
    #[error(transparent)]
    Violations(#[from] Violations),
    /// The request breaks a rule of the server.
    #[error("validation error: {field}: {problem}")]
    Invalid {
        /// The field, such as `metadata.name`.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// What the request holds was looked into and cannot be used.
    #[error("{0}")]
    Rejected(String),
    /// No such resource.
    #[error("{kind} {what} not found")]
    NotFound {
        /// The kind's name, such as `Agent`.
        kind: &'static str,
        /// The id or slug that was looked for.
        what: String,
    },
    /// The slug is taken.
    #[error("{kind} with slug {slug:?} already exists (id {id})")]
    AlreadyExists {
        /// The kind's name.
        kind: &'static str,
        /// The slug.
        slug: String,
        /// Who has it.
        id: String,
    },
    /// The resource is in a state that does not allow this.
    #[error("{0}")]
    Precondition(String),
    /// Something the request needs is away at the moment.
    #[error("{0}")]
    Unavailable(String),
    /// The server is at fault.
    #[error("{0}")]
    Internal(String),
    /// The store is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause {
    /// `field` breaks a rule of the server.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Violations(_) | Self::Invalid { .. } | Self::Rejected(_) => Code::InvalidArgument,
            Self::NotFound { .. } => Code::NotFound,
            Self::AlreadyExists { .. } => Code::AlreadyExists,
            Self::Precondition(_) => Code::FailedPrecondition,
            Self::Unavailable(_) => Code::Unavailable,
            // Runners try such a call again, for a minute.
            Self::Store(error) if error.may_pass() => Code::Unavailable,
            Self::Internal(_) | Self::Store(_) => Code::Internal,
        }
    }
}

/// Gives a failure the name of the step it happened in.
pub trait AtStep<T> {
    /// The same result, its error named.
    fn at(self, step: &'static str) -> Result<T, StepError>;
}

impl<T, E: Into<Cause>> AtStep<T> for Result<T, E> {
    fn at(self, step: &'static str) -> Result<T, StepError> {
        self.map_err(|error| StepError {
            step,
            cause: error.into(),
        })
    }
}

/// The store failed outside of a step's own look-ups: it could not begin or commit.
impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        Self {
            step: "Persist",
            cause: error.into(),
        }
    }
}

impl From<StepError> for Status {
    fn from(error: StepError) -> Self {
        if let Cause::Store(store) = &error.cause
            && store.may_pass()
        {
            tracing::warn!(error = %store, "the database takes nothing at the moment");
        }
        Status::new(error.cause.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn code(sqlite: i32) -> Code {
        let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(sqlite), None);
        let path = "x.db".to_owned();
        Status::from(StepError::from(StoreError::Sqlite { path, cause })).code()
    }

    #[test]
    fn a_store_that_takes_nothing_at_the_moment_is_unavailable_and_a_damaged_one_is_not() {
        for passing in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
        ] {
            assert_eq!(code(passing), Code::Unavailable, "{passing}");
        }
        assert_eq!(code(ffi::SQLITE_CORRUPT), Code::Internal);
    }
}
