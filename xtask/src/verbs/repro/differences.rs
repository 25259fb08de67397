//! What has to be the same for a run to happen again, and is not.

use super::record::{Binary, Recorded};
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
    /// It tested other programs; their names.
    Programs(Vec<String>),
    /// It had another machine.
    Machine { then: String, now: String },
}

impl Difference {
    /// Whether the run cannot be made again in this state of the checkout.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Pin { .. } | Self::Revision { .. })
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
            Self::Programs(names) => write!(
                f,
                "not built to the same bytes as then: {}",
                names.join(", ")
            ),
            Self::Machine { then, now } => write!(f, "it ran on {then}, this is {now}"),
        }
    }
}

/// What is not as it was around a run that was made again: nothing that could be chosen, but perhaps the
/// reason why a failure did not come back.
pub fn surroundings(then: &Recorded, now: &Recorded) -> Vec<Difference> {
    let is_other = |binary: &&Binary| {
        let same_name = |it: &&Binary| it.name == binary.name;
        then.binaries
            .iter()
            .find(same_name)
            .is_some_and(|it| it != *binary)
    };
    let others = now.binaries.iter().filter(is_other);
    let others: Vec<String> = others.map(|binary| binary.name.clone()).collect();
    let programs = (!others.is_empty()).then_some(Difference::Programs(others));
    let machine = match (&then.host, &now.host) {
        (Some(then), Some(now)) if then != now => Some(Difference::Machine {
            then: then.to_string(),
            now: now.to_string(),
        }),
        _ => None,
    };
    programs.into_iter().chain(machine).collect()
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
