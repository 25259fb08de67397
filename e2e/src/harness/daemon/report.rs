//! What `stigmer server start` and `status` say in JSON.

use serde::Deserialize;
use serde_json::Value;

use crate::harness::{Broken, CliOutput};

/// How a daemon says that it stands.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// `starting`, `running`, `broken`, `stopping`, or `stopped`; a start says nothing here.
    #[serde(default)]
    pub state: String,
    /// Where the API is, `host:port`.
    #[serde(default)]
    pub address: Option<String>,
    /// Every part that the daemon runs.
    #[serde(default)]
    pub parts: Vec<PartReport>,
    /// Everything it said.
    #[serde(skip)]
    pub all: Value,
}

/// One part of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PartReport {
    /// `temporal`, `stigmer-server`, `workflow-runner`, or `agent-runner`.
    pub part: String,
    /// `running`, `unhealthy`, `restarting`, `failed`, …
    pub state: String,
    /// Its process; a start gives it inside of `process`.
    #[serde(default)]
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// What went wrong last.
    #[serde(default)]
    pub last_failure: Option<String>,
    /// The queues it polls.
    #[serde(default)]
    pub task_queues: Vec<String>,
}

impl Report {
    /// What a command printed.
    ///
    /// # Errors
    ///
    /// When that is no JSON of this shape.
    pub fn of(output: &CliOutput) -> Result<Self, Broken> {
        let unreadable = |error: serde_json::Error| {
            Broken(format!(
                "`{}` printed no report: {error}; its output:\n{}{}",
                output.command_line, output.stdout, output.stderr
            ))
        };
        let all: Value = serde_json::from_str(&output.stdout).map_err(unreadable)?;
        let mut report: Self = serde_json::from_value(all.clone()).map_err(unreadable)?;
        for (part, row) in report
            .parts
            .iter_mut()
            .zip(all["parts"].as_array().into_iter().flatten())
        {
            let pid = row["process"]["pid"].as_u64();
            part.pid = part.pid.or(pid.and_then(|pid| u32::try_from(pid).ok()));
        }
        report.all = all;
        Ok(report)
    }

    /// Where the API is.
    ///
    /// # Errors
    ///
    /// When it was not said.
    pub fn address(&self) -> Result<&str, Broken> {
        self.address
            .as_deref()
            .ok_or_else(|| Broken(format!("no address in {}", self.all)))
    }

    /// One part.
    ///
    /// # Errors
    ///
    /// When it is not among the parts.
    pub fn part(&self, name: &str) -> Result<&PartReport, Broken> {
        let part = self.parts.iter().find(|part| part.part == name);
        part.ok_or_else(|| Broken(format!("no part {name} in {}", self.all)))
    }

    /// The process of one part.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn pid(&self, name: &str) -> Result<u32, Broken> {
        let part = self.part(name)?;
        part.pid
            .ok_or_else(|| Broken(format!("{name} has no process: {}", self.all)))
    }
}
