//! What a failed activity means to somebody who reads the execution.

use temporalio_common::error::{ActivityExecutionError, IncomingError, TimeoutType};

use super::calls::{HEARTBEAT, SCHEDULE_TO_START};

/// Why `activity` on `task_queue` failed, in one sentence.
pub(super) fn describe(activity: &str, task_queue: &str, error: &ActivityExecutionError) -> String {
    match error {
        ActivityExecutionError::Failed(failed) => match failed.cause() {
            Some(cause) => describe_cause(activity, task_queue, cause),
            None => format!("activity {activity} failed: {}", failed.failure().message),
        },
        ActivityExecutionError::Cancelled(_) => format!("activity {activity} was cancelled"),
        ActivityExecutionError::Serialization(error) => {
            format!("activity {activity} gave a result that cannot be read: {error}")
        }
        other => format!("activity {activity} failed: {other}"),
    }
}

fn describe_cause(activity: &str, task_queue: &str, cause: &IncomingError) -> String {
    let message = &cause.failure().message;
    match cause.as_timeout().map(|timeout| timeout.timeout_type()) {
        Some(TimeoutType::ScheduleToStart) => format!(
            "no worker available: nobody took activity {activity} from task queue {task_queue} within {} s; is the agent-runner running?",
            SCHEDULE_TO_START.as_secs()
        ),
        Some(TimeoutType::Heartbeat) => format!(
            "lost the agent-runner: activity {activity} on task queue {task_queue} gave no heartbeat for {} s",
            HEARTBEAT.as_secs()
        ),
        Some(TimeoutType::StartToClose | TimeoutType::ScheduleToClose) => {
            format!("activity {activity} on task queue {task_queue} took too long")
        }
        _ => format!("activity {activity} failed: {message}"),
    }
}
