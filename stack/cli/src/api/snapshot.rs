//! What an execution shows at one moment, whatever its kind.

use serde::Serialize;

/// How far an execution is. Both kinds use the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    Unspecified,
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
}

impl Phase {
    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unspecified => "Unknown",
            Self::Pending => "Pending",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl From<Phase> for i32 {
    fn from(phase: Phase) -> Self {
        phase as Self
    }
}

impl From<i32> for Phase {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Pending,
            2 => Self::InProgress,
            3 => Self::Completed,
            4 => Self::Failed,
            5 => Self::Cancelled,
            _ => Self::Unspecified,
        }
    }
}

/// An execution at one moment, whatever its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub phase: Phase,
    pub error: String,
    pub started_at: String,
    pub completed_at: String,
    /// Messages of an agent, or tasks of a workflow, in the order in which they began.
    pub entries: Vec<Entry>,
    /// How many tools an agent has called.
    pub tool_calls: usize,
}

/// One step that an execution shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    Message {
        speaker: Speaker,
        text: String,
    },
    Task {
        /// Tells a task from others of its name, such as those of other rounds of a loop.
        id: String,
        name: String,
        state: TaskState,
        #[serde(skip_serializing_if = "String::is_empty")]
        error: String,
    },
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Human,
    Agent,
    Tool,
    System,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Pending,
    Running,
    Completed,
    Failed,
    Skipped,
}

#[cfg(test)]
mod tests {
    use stigmer_api::agent_execution::ExecutionPhase;

    use super::*;

    #[test]
    fn only_the_last_three_phases_are_terminal() {
        let terminal = (0..7)
            .map(Phase::from)
            .map(Phase::is_terminal)
            .collect::<Vec<_>>();
        assert_eq!(terminal, [false, false, false, true, true, true, false]);
    }

    #[test]
    fn a_phase_has_the_number_of_the_contract() {
        for number in 0..6 {
            assert_eq!(i32::from(Phase::from(number)), number);
        }
        assert_eq!(
            i32::from(Phase::Cancelled),
            ExecutionPhase::ExecutionCancelled as i32
        );
    }
}
