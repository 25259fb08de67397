//! A call that failed, and how Temporal is told.

use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::ActivityError;

use crate::{engine::secrets::Environment, temporal::FaultDetails};

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct CallError {
    /// The type that a catch can ask for.
    pub(super) kind: &'static str,
    /// The cause. May still hold secrets.
    pub(super) message: String,
    /// An HTTP-like status.
    pub(super) status: Option<u16>,
    /// Whether another attempt may succeed.
    pub(super) retryable: bool,
}

impl CallError {
    /// An error that another attempt does not mend.
    pub(super) fn fatal(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            retryable: false,
        }
    }

    /// An error that may pass.
    pub(super) fn passing(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::fatal(kind, message)
        }
    }

    /// The failure of the activity, without any secret of `environment`.
    pub(super) fn into_activity_error(self, environment: &Environment) -> ActivityError {
        let failure = ApplicationFailure::builder(environment.mask(&self.message))
            .type_name(self.kind.to_owned())
            .non_retryable(!self.retryable)
            .details(FaultDetails {
                status: self.status,
            });
        ActivityError::application(failure.build())
    }
}

/// An error with its causes, joined by colons; a cause that repeats its parent is left out.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
