//! How a reported status changes the stored one (`docs/contract/behaviour.md`, section 6.2).

use stigmer_api::time::rfc3339_now;

use super::{
    Phase,
    execution::{Progress, Status},
};

/// The reported phase cannot follow the stored one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the execution is {from:?} and cannot become {to:?}: phases do not step back, and nothing follows the end"
)]
pub struct PhaseError {
    /// The stored phase.
    pub from: Phase,
    /// The reported phase.
    pub to: Phase,
}

/// The stored status after `update`. A report that changes nothing is fine at any time, so that a
/// runner may repeat one whose answer it did not get.
pub fn merge<S: Status>(stored: &S, mut update: S) -> Result<S, PhaseError> {
    let mut merged = stored.clone();
    let from = phase_of(&mut merged);
    let to = match phase_of(&mut update) {
        Phase::Unspecified => from,
        phase => phase,
    };
    if (from, to) == (Phase::Cancelled, Phase::Cancelled) {
        // Whoever cancelled it could not know how far its runner had come.
        merged.take_contents(update);
        return Ok(merged);
    }
    take_progress(merged.progress(), update.progress());
    merged.take_contents(update);
    *merged.progress().phase = to.number();
    complete(&mut merged, to);
    if to == Phase::Cancelled {
        let cause = merged.progress().error.clone();
        merged.settle(&cause);
    }
    if merged == *stored || from.allows(to) {
        Ok(merged)
    } else {
        Err(PhaseError { from, to })
    }
}

/// The stored status ended by the server in `phase` for `cause`, or `None` when it has ended before.
/// What the runner reported so far is kept.
pub fn end<S: Status>(stored: &S, phase: Phase, cause: &str) -> Option<S> {
    let mut ended = stored.clone();
    if phase_of(&mut ended).is_terminal() {
        return None;
    }
    *ended.progress().phase = phase.number();
    cause.clone_into(ended.progress().error);
    ended.settle(cause);
    ended.append_note(cause);
    complete(&mut ended, phase);
    Some(ended)
}

/// The stored status ended by `last`, the status that the workflow of the execution is left with,
/// or `None` when it has ended before. It is FAILED when `last` is no end.
pub fn conclude<S: Status>(stored: &S, mut last: S) -> Option<S> {
    if phase_of(&mut stored.clone()).is_terminal() {
        return None;
    }
    let phase = phase_of(&mut last);
    // What steps back tells nothing that the stored status does not.
    let mut merged = merge(stored, last).unwrap_or_else(|_| stored.clone());
    if !phase.is_terminal() {
        let cause = "the runner stopped without saying whether the execution succeeded";
        return end(&merged, Phase::Failed, cause);
    }
    let cause = merged.progress().error.clone();
    if phase != Phase::Completed {
        merged.settle(&cause);
        if merged.failure_hint() != cause {
            merged.append_note(&cause);
        }
    }
    Some(merged)
}

fn phase_of<S: Status>(status: &mut S) -> Phase {
    Phase::from_number(*status.progress().phase).unwrap_or(Phase::Unspecified)
}

fn take_progress(stored: Progress<'_>, update: Progress<'_>) {
    for (stored, update) in [
        (stored.error, update.error),
        (stored.completed_at, update.completed_at),
    ] {
        if !update.is_empty() {
            std::mem::swap(stored, update);
        }
    }
    // A runner that takes over from another one begins later, the execution does not.
    if stored.started_at.is_empty() {
        std::mem::swap(stored.started_at, update.started_at);
    }
}

/// Fills in what every status of this phase has, where the report left it out.
fn complete<S: Status>(status: &mut S, phase: Phase) {
    let hint = status.failure_hint();
    let progress = status.progress();
    if matches!(phase, Phase::InProgress | Phase::Completed) && progress.started_at.is_empty() {
        *progress.started_at = rfc3339_now();
    }
    if phase.is_terminal() && progress.completed_at.is_empty() {
        *progress.completed_at = rfc3339_now();
    }
    if phase == Phase::Failed && progress.error.is_empty() {
        *progress.error = match hint.as_str() {
            "" => "the runner reported a failure without a cause; its log may tell more".to_owned(),
            hint => hint.to_owned(),
        };
    }
    if phase == Phase::Cancelled && progress.error.is_empty() {
        *progress.error = "cancelled".to_owned();
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::agent_execution::{
        AgentExecutionStatus, AgentMessage, MessageType, ToolCall, ToolCallStatus,
    };

    use super::*;

    fn status(phase: Phase) -> AgentExecutionStatus {
        AgentExecutionStatus {
            phase: phase.number(),
            ..Default::default()
        }
    }

    fn message(kind: MessageType, content: &str) -> AgentMessage {
        AgentMessage {
            r#type: kind as i32,
            content: content.to_owned(),
            ..Default::default()
        }
    }

    fn contents(status: &AgentExecutionStatus) -> Vec<&str> {
        status.messages.iter().map(|m| m.content.as_str()).collect()
    }

    #[test]
    fn lists_are_replaced_as_a_whole_and_never_cleared() {
        let mut stored = status(Phase::InProgress);
        stored.messages = vec![message(MessageType::MessageHuman, "hello")];
        let silent = merge(&stored, status(Phase::Unspecified)).unwrap();
        assert_eq!(contents(&silent), ["hello"]);

        let mut update = status(Phase::InProgress);
        update.messages = vec![
            message(MessageType::MessageHuman, "hello"),
            message(MessageType::MessageAi, "hi"),
        ];
        assert_eq!(contents(&merge(&silent, update).unwrap()), ["hello", "hi"]);
    }

    #[test]
    fn times_are_filled_in_where_the_runner_gave_none_and_kept_where_it_did() {
        let begun = merge(&status(Phase::Pending), status(Phase::InProgress)).unwrap();
        assert!(
            !begun.started_at.is_empty() && begun.completed_at.is_empty(),
            "{begun:?}"
        );
        let done = merge(&begun, status(Phase::Completed)).unwrap();
        assert_eq!(done.started_at, begun.started_at);
        assert!(done.started_at <= done.completed_at, "{done:?}");

        let mut update = status(Phase::Completed);
        update.started_at = "2026-01-01T00:00:00Z".to_owned();
        update.completed_at = "2026-01-01T00:00:01Z".to_owned();
        let done = merge(&begun, update).unwrap();
        assert_eq!(done.completed_at, "2026-01-01T00:00:01Z");
        assert_eq!(
            done.started_at, begun.started_at,
            "an execution begins once"
        );
    }

    #[test]
    fn a_phase_that_steps_back_is_refused_and_names_both() {
        let error = merge(&status(Phase::InProgress), status(Phase::Pending)).unwrap_err();
        assert_eq!(
            error,
            PhaseError {
                from: Phase::InProgress,
                to: Phase::Pending
            }
        );
    }

    #[test]
    fn after_the_end_only_a_repetition_passes() {
        let mut last = status(Phase::Completed);
        last.messages = vec![message(MessageType::MessageAi, "bye")];
        let stored = merge(&status(Phase::InProgress), last.clone()).unwrap();
        assert_eq!(merge(&stored, last), Ok(stored.clone()));

        let mut late = status(Phase::Unspecified);
        late.messages = vec![message(MessageType::MessageAi, "one more thing")];
        assert!(merge(&stored, late).is_err());
        assert!(merge(&stored, status(Phase::Failed)).is_err());
    }

    #[test]
    fn a_failure_is_never_without_a_cause() {
        let bare = merge(&status(Phase::InProgress), status(Phase::Failed)).unwrap();
        assert!(bare.error.contains("without a cause"), "{}", bare.error);

        let mut update = status(Phase::Failed);
        update.messages = vec![message(MessageType::MessageSystem, "the model is gone")];
        assert_eq!(
            merge(&status(Phase::InProgress), update).unwrap().error,
            "the model is gone"
        );
    }

    #[test]
    fn a_cancellation_ends_the_tool_calls_and_has_a_cause() {
        let mut running = status(Phase::InProgress);
        running.tool_calls = vec![ToolCall {
            status: ToolCallStatus::ToolCallRunning as i32,
            ..Default::default()
        }];
        let cancelled = merge(&running, status(Phase::Cancelled)).unwrap();
        let call = &cancelled.tool_calls[0];
        assert_eq!(
            (call.status(), call.error.as_str(), cancelled.error.as_str()),
            (ToolCallStatus::ToolCallFailed, "cancelled", "cancelled")
        );
        assert!(!call.completed_at.is_empty() && !cancelled.completed_at.is_empty());
    }

    #[test]
    fn an_end_by_the_server_keeps_earlier_messages_and_comes_once() {
        let mut stored = status(Phase::InProgress);
        stored.messages = vec![message(MessageType::MessageAi, "half an ans")];
        let ended = end(&stored, Phase::Failed, "no heartbeat").unwrap();
        assert_eq!(contents(&ended), ["half an ans", "no heartbeat"]);
        assert_eq!(ended.messages[1].r#type(), MessageType::MessageSystem);
        assert_eq!(
            (ended.phase, ended.error.as_str()),
            (Phase::Failed.number(), "no heartbeat")
        );
        assert!(!ended.completed_at.is_empty());
        assert_eq!(end(&ended, Phase::Failed, "again"), None);
    }

    #[test]
    fn a_lost_final_report_is_made_up_for_by_the_result_of_the_runner() {
        let mut last = status(Phase::Completed);
        last.messages = vec![message(MessageType::MessageAi, "all of it")];
        let concluded = conclude(&status(Phase::InProgress), last.clone()).unwrap();
        assert_eq!(
            (concluded.phase, contents(&concluded)),
            (Phase::Completed.number(), vec!["all of it"])
        );
        assert_eq!(conclude(&concluded, status(Phase::Failed)), None);
    }

    #[test]
    fn a_failure_without_messages_is_noted_behind_what_is_there() {
        let mut stored = status(Phase::InProgress);
        stored.messages = vec![message(MessageType::MessageAi, "half an ans")];
        let mut last = status(Phase::Failed);
        last.error = "no worker".to_owned();
        let concluded = conclude(&stored, last).unwrap();
        assert_eq!(contents(&concluded), ["half an ans", "no worker"]);

        let mut told = status(Phase::Failed);
        told.messages = vec![message(MessageType::MessageSystem, "the model is gone")];
        let concluded = conclude(&stored, told).unwrap();
        assert_eq!(contents(&concluded), ["the model is gone"]);
    }

    #[test]
    fn a_result_that_is_no_end_becomes_a_failure() {
        for last in [
            status(Phase::Unspecified),
            status(Phase::InProgress),
            status(Phase::Pending),
        ] {
            let concluded = conclude(&status(Phase::InProgress), last).unwrap();
            assert_eq!(concluded.phase, Phase::Failed.number());
            assert!(!concluded.error.is_empty());
        }
    }
}
