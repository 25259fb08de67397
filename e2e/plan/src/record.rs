//! Phases of a run and how they went.

use serde::{Deserialize, Serialize};

/// The phases in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Resolve everything into one value.
    Plan,
    /// Find, fetch, and verify the pinned tools.
    Provision,
    /// Build what is tested and what tests it.
    Build,
    /// Check prerequisites.
    Doctor,
    /// Start the shared services.
    Up,
    /// Run the suite.
    Test,
    /// Gather the results.
    Collect,
    /// Stop everything and look for leftovers.
    Down,
}

impl PhaseName {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Provision => "provision",
            Self::Build => "build",
            Self::Doctor => "doctor",
            Self::Up => "up",
            Self::Test => "test",
            Self::Collect => "collect",
            Self::Down => "down",
        }
    }
}

/// A phase that has begun.
pub type Phase = (PhaseName, std::time::Instant);

/// One finished phase, as written to `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// Which phase.
    pub name: PhaseName,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What it did, in one line for people.
    pub summary: String,
}
