//! The parts of the stack.

use serde::{Deserialize, Serialize};

/// A part that the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The Temporal dev server.
    Temporal,
    /// `stigmer-server`.
    #[serde(rename = "stigmer-server")]
    Server,
    /// `stigmer-workflow-runner`.
    WorkflowRunner,
    /// `stigmer-agent-runner`.
    AgentRunner,
}

impl Part {
    /// Every part, in the order of their start.
    pub const ALL: [Self; 4] = [
        Self::Temporal,
        Self::Server,
        Self::WorkflowRunner,
        Self::AgentRunner,
    ];

    /// Its name in files, logs, and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporal => "temporal",
            Self::Server => "stigmer-server",
            Self::WorkflowRunner => "workflow-runner",
            Self::AgentRunner => "agent-runner",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Temporal => "Temporal",
            Self::Server => "Stigmer Server",
            Self::WorkflowRunner => "Workflow Runner",
            Self::AgentRunner => "Agent Runner",
        }
    }

    /// The part called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}
