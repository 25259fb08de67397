//! `daemon.json`: what the supervisor says about itself and its parts. Whole at any moment, and gone
//! once everything is stopped.

use std::{fs, io};

use serde::{Deserialize, Serialize};
use stigmer_supervise::Identity;

use super::{Layout, Part, Settings};

/// A running daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Who runs everything. Nothing is believed of a record whose supervisor is gone.
    pub supervisor: Identity,
    /// RFC 3339.
    pub started_at: String,
    /// Where all of it stands.
    pub stage: Stage,
    /// What it was told.
    pub settings: Settings,
    /// Its parts.
    pub parts: Vec<PartRecord>,
}

/// Where a daemon stands as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Not everything was ready yet.
    Starting,
    /// Everything was ready once.
    Up,
    /// Everything is being stopped.
    Stopping,
}

/// One part as the supervisor sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Which.
    pub part: Part,
    /// How it stands.
    pub state: State,
    /// Its process, while there is one.
    pub process: Option<Identity>,
    /// How often it was started again.
    pub restarts: u32,
    /// What went wrong last.
    pub last_failure: Option<String>,
    /// Where it listens.
    pub address: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The Temporal task queues it polls.
    pub task_queues: Vec<String>,
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Starting,
    Running,
    Unhealthy,
    Restarting,
    Stopped,
    Failed,
}

impl State {
    /// The word and the symbol for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Starting => "Starting ↻",
            Self::Running => "Running ✓",
            Self::Unhealthy => "Unhealthy ✗",
            Self::Restarting => "Restarting ↻",
            Self::Stopped => "Stopped ○",
            Self::Failed => "Failed ✗✗",
        }
    }
}

impl Record {
    /// The record of the daemon of `layout`, if its supervisor runs. A record that cannot be read
    /// says nothing.
    pub fn of_running(layout: &Layout) -> Option<Self> {
        let text = fs::read(layout.record()).ok()?;
        let record: Self = serde_json::from_slice(&text).ok()?;
        record.supervisor.is_alive().then_some(record)
    }

    /// Writes it in one step.
    pub fn write(&self, layout: &Layout) -> io::Result<()> {
        let path = layout.record();
        let part = path.with_extension("json.part");
        fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        fs::rename(part, path)
    }

    /// The row of `part`, unless somebody else runs it.
    pub fn part(&self, part: Part) -> Option<&PartRecord> {
        self.parts.iter().find(|row| row.part == part)
    }

    /// Where clients find the API.
    pub fn address(&self) -> String {
        self.settings.api.dial()
    }
}
