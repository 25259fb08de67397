//! What has to be the same for a run to happen again, and is not.

use super::record::Recorded;
use crate::pins::{Pins, Tool};

/// An input of the recorded run that this checkout does not have.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// The recorded run used another version or content of a pinned tool.
    Pin {
        name: String,
        then: String,
        now: String,
    },
    /// It ran another commit.
    Revision { then: String, now: String },
    /// It ran changes that no commit holds.
    Uncommitted,
}

impl Difference {
    /// Whether the run cannot be made again in this state of the checkout.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Uncommitted)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pin { name, then, now } => write!(f, "{name} was {then}, pinned is {now}"),
            Self::Revision { then, now } => {
                write!(f, "it ran commit {then}, the checkout is at {now}")
            }
            Self::Uncommitted => f.write_str(
                "it ran with changes that were not committed; they are not in the folder",
            ),
        }
    }
}

/// Compares the inputs of a recorded run with the checkout's pins for `platform` and its commit.
pub fn differences(
    recorded: &Recorded,
    pins: &Pins,
    platform: &str,
    revision: Option<&str>,
) -> Vec<Difference> {
    let mut differing: Vec<Difference> = recorded
        .pins
        .iter()
        .filter_map(|then| {
            let now = then
                .name
                .parse::<Tool>()
                .ok()
                .and_then(|tool| pins.pin(tool, platform).ok());
            let now = now.map(|pin| pin.artefact.version.clone());
            let now = now.unwrap_or_else(|| "no longer there".to_owned());
            (now != then.version).then(|| Difference::Pin {
                name: then.name.clone(),
                then: then.version.clone(),
                now,
            })
        })
        .collect();
    if let Some(git) = &recorded.git {
        let then = git.revision.clone().unwrap_or_default();
        let now = revision.unwrap_or("none").to_owned();
        if then != now {
            differing.push(Difference::Revision { then, now });
        }
        if git.dirty {
            differing.push(Difference::Uncommitted);
        }
    }
    differing
}
