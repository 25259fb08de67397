//! What a failed activity means to somebody who reads the execution.

use temporalio_common::error::{ActivityExecutionError, IncomingError, TimeoutType};

use super::calls::Callee;

/// Why the call failed, in one sentence.
pub(super) fn describe(callee: &Callee, error: &ActivityExecutionError) -> String {
    let activity = callee.activity;
    match error {
        ActivityExecutionError::Failed(failed) => match failed.cause() {
            Some(cause) => describe_cause(callee, cause),
            None => format!("activity {activity} failed: {}", failed.failure().message),
        },
        ActivityExecutionError::Cancelled(_) => format!("activity {activity} was cancelled"),
        ActivityExecutionError::Serialization(error) => {
            format!("activity {activity} gave a result that cannot be read: {error}")
        }
        other => format!("activity {activity} failed: {other}"),
    }
}

fn describe_cause(callee: &Callee, cause: &IncomingError) -> String {
    let Callee {
        activity,
        runner,
        task_queue,
        ..
    } = callee;
    let message = &cause.failure().message;
    match timeout_type(cause) {
        Some(TimeoutType::ScheduleToStart) => format!(
            "no worker available: nobody took activity {activity} from task queue {task_queue} within {} s; is the {runner} running?",
            callee.schedule_to_start.as_secs()
        ),
        Some(TimeoutType::Heartbeat) => format!(
            "lost the {runner}: activity {activity} on task queue {task_queue} gave no heartbeat for {} s",
            callee.heartbeat.as_secs()
        ),
        Some(TimeoutType::StartToClose | TimeoutType::ScheduleToClose) => {
            format!("activity {activity} on task queue {task_queue} took too long")
        }
        _ => format!("activity {activity} failed: {message}"),
    }
}

/// Whether nobody took the call.
pub(super) fn is_without_worker(error: &ActivityExecutionError) -> bool {
    let ActivityExecutionError::Failed(failed) = error else {
        return false;
    };
    matches!(
        failed.cause().and_then(timeout_type),
        Some(TimeoutType::ScheduleToStart)
    )
}

fn timeout_type(cause: &IncomingError) -> Option<TimeoutType> {
    cause.as_timeout().map(|timeout| timeout.timeout_type())
}
