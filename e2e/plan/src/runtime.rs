//! In what the parts of the stack run.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// In what the parts of the stack run: as processes of this machine, or some of them in containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Runtime {
    contained: BTreeSet<ContainerPart>,
}

/// A part that can run in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerPart {
    /// The shared Temporal, and those that belong to one test.
    Temporal,
    /// `stigmer-server`.
    Server,
    /// `stigmer-workflow-runner`.
    WorkflowRunner,
    /// `stigmer-agent-runner`.
    AgentRunner,
}

impl ContainerPart {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Temporal,
        Self::Server,
        Self::WorkflowRunner,
        Self::AgentRunner,
    ];

    /// Its name on the command line and in images.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporal => "temporal",
            Self::Server => "server",
            Self::WorkflowRunner => "workflow-runner",
            Self::AgentRunner => "agent-runner",
        }
    }
}

impl Runtime {
    /// The program that drives containers.
    pub const ENGINE: &str = "docker";

    /// All parts in containers.
    pub fn docker() -> Self {
        Self {
            contained: ContainerPart::ALL.into(),
        }
    }

    /// The parts that run in containers.
    pub fn contained(&self) -> impl Iterator<Item = ContainerPart> {
        self.contained.iter().copied()
    }

    /// Whether any part runs in a container.
    pub fn needs_engine(&self) -> bool {
        !self.contained.is_empty()
    }
}

impl FromStr for Runtime {
    type Err = String;

    /// Reads `process`, `docker`, or `docker:PART,…`.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = match text.split_once(':') {
            None if text == "process" => return Ok(Self::default()),
            None if text == Self::ENGINE => return Ok(Self::docker()),
            Some((Self::ENGINE, names)) => names,
            _ => return Err("use `process`, `docker`, or `docker:<part>,…`".to_owned()),
        };
        let part = |name: &str| {
            let part = ContainerPart::ALL.into_iter().find(|p| p.name() == name);
            part.ok_or_else(|| {
                let all = ContainerPart::ALL.map(ContainerPart::name).join(", ");
                format!("no part {name:?}: use {all}")
            })
        };
        let contained = names.split(',').map(part).collect::<Result<_, _>>()?;
        Ok(Self { contained })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.contained().map(ContainerPart::name).collect();
        match names.len() {
            0 => f.pad("process"),
            all if all == ContainerPart::ALL.len() => f.pad(Self::ENGINE),
            _ => write!(f, "{}:{}", Self::ENGINE, names.join(",")),
        }
    }
}

impl From<Runtime> for String {
    fn from(runtime: Runtime) -> Self {
        runtime.to_string()
    }
}

impl TryFrom<String> for Runtime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_reads_as_it_is_written() {
        for text in [
            "process",
            "docker",
            "docker:agent-runner",
            "docker:temporal,server",
        ] {
            assert_eq!(text.parse::<Runtime>().unwrap().to_string(), text);
        }
        let all = "docker:agent-runner,workflow-runner,server,temporal";
        assert_eq!(all.parse::<Runtime>().unwrap().to_string(), "docker");
    }

    #[test]
    fn what_is_no_runtime_is_refused_by_what_is_one() {
        let refused = |text: &str| text.parse::<Runtime>().unwrap_err();
        assert!(refused("podman").contains("`docker:<part>,…`"));
        assert!(refused("docker:cli").starts_with("no part \"cli\": use temporal, server,"));
        assert!(refused("docker:").contains("no part \"\""));
    }
}
