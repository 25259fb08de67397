//! What a failed activity or child workflow means to the interpreter.

use serde::{Deserialize, Serialize};
use temporalio_common::error::{
    ActivityExecutionError, ApplicationFailure, ChildWorkflowExecutionError, IncomingError,
    TimeoutType,
};
use temporalio_sdk::WorkflowTermination;

use crate::engine::interpret::{Fault, Stop, kind};

/// What an activity tells about its failure besides its type and message.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FaultDetails {
    /// An HTTP-like status.
    #[serde(default)]
    pub(crate) status: Option<u16>,
}

/// Why an effect did not come to its end.
pub(super) type Stopped = Stop<Fault, WorkflowTermination>;

/// The cancellation of the workflow, or of the branch that asked.
pub(super) fn cancelled() -> Stopped {
    Stop::Interrupted(WorkflowTermination::cancelled())
}

pub(super) fn of_activity(error: ActivityExecutionError, what: &str) -> Stopped {
    match error {
        ActivityExecutionError::Cancelled(_) => cancelled(),
        ActivityExecutionError::Failed(failed) => Stop::Failed(match failed.cause() {
            Some(cause) => fault(cause, what),
            None => Fault::new(kind::VALIDATION, failed.failure().message.clone()),
        }),
        ActivityExecutionError::Serialization(error) => Stop::Failed(Fault::new(
            kind::VALIDATION,
            format!("{what} gave a result that cannot be read: {error}"),
        )),
        other => Stop::Failed(Fault::new(kind::VALIDATION, other.to_string())),
    }
}

pub(super) fn of_child(error: &ChildWorkflowExecutionError, what: &str) -> Stopped {
    if error.as_cancelled().is_some() {
        return cancelled();
    }
    Stop::Failed(match error.reason() {
        Some(reason) => fault(reason, what),
        None => Fault::new(kind::VALIDATION, error.to_string()),
    })
}

fn fault(cause: &IncomingError, what: &str) -> Fault {
    match cause {
        IncomingError::Application(failure) => of_application(failure),
        IncomingError::Timeout(timeout) => match (timeout.timeout_type(), timeout.cause()) {
            (TimeoutType::ScheduleToStart, _) => {
                Fault::new(kind::TIMEOUT, format!("no worker available for {what}"))
            }
            (_, Some(IncomingError::Application(last))) => {
                let last = of_application(last);
                Fault {
                    message: format!("{} (no time is left to try again)", last.message),
                    ..last
                }
            }
            _ => Fault::new(kind::TIMEOUT, format!("timeout: {what} took too long")),
        },
        other => Fault::new(
            kind::VALIDATION,
            format!("{what}: {}", other.failure().message),
        ),
    }
}

fn of_application(failure: &ApplicationFailure) -> Fault {
    let details = failure
        .details::<FaultDetails>()
        .ok()
        .flatten()
        .unwrap_or_default();
    let message = failure
        .failure()
        .map_or_else(|| failure.to_string(), |failure| failure.message.clone());
    Fault {
        kind: failure.type_name().unwrap_or_default().to_owned(),
        message,
        status: details.status,
    }
}
