//! The logs of the parts: put aside at each start, shown, followed.

mod follow;
mod merge;
mod rotate;

use camino::Utf8PathBuf;

use super::{Layout, Part};

pub use follow::Follower;
pub use merge::{LogLine, merged_tail};
pub use rotate::rotate;

/// Something that writes a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    Part(Part),
    Supervisor,
}

impl Component {
    /// Every component, in the order of their start.
    pub const ALL: [Self; 5] = [
        Self::Supervisor,
        Self::Part(Part::Temporal),
        Self::Part(Part::Server),
        Self::Part(Part::WorkflowRunner),
        Self::Part(Part::AgentRunner),
    ];

    /// Its name in front of its lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Part(part) => part.name(),
            Self::Supervisor => "supervisor",
        }
    }

    /// Its log.
    pub fn log(self, layout: &Layout) -> Utf8PathBuf {
        match self {
            Self::Part(part) => layout.log(part),
            Self::Supervisor => layout.supervisor_log(),
        }
    }
}
