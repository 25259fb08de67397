//! How the daemon stands: what its record says, checked against the process table and the API.

use std::time::Duration;

use serde::Serialize;
use stigmer_supervise::{Identity, leased};

use super::{
    Layout, Part, PartRecord, Record, Stage, State,
    health::{self, Health, SERVERS_TEMPORAL},
    llm::LlmState,
    settings::Temporal,
};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// A daemon at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Whether the supervisor runs and the server does its work.
    pub state: Overall,
    /// Who runs everything.
    pub supervisor: Option<Supervisor>,
    /// Where the API is found.
    pub address: Option<String>,
    /// Every part that the daemon runs.
    pub parts: Vec<PartStatus>,
    /// The server's connection to Temporal.
    pub temporal: Option<TemporalStatus>,
    /// The model.
    pub llm: Option<LlmState>,
    /// What it was told; nothing when it is stopped.
    #[serde(skip)]
    pub record: Option<Record>,
}

/// The answer to "does it run?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    /// Not everything was ready yet.
    Starting,
    /// The API answers.
    Running,
    /// Something runs, but the API does not answer.
    Broken,
    /// Everything is being stopped.
    Stopping,
    /// Nothing runs.
    Stopped,
}

/// The process that runs everything.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Supervisor {
    pub pid: u32,
    /// It was stopped by a signal and does nothing until it is thawed.
    pub frozen: bool,
}

/// A part at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct PartStatus {
    pub part: Part,
    pub state: State,
    pub pid: Option<u32>,
    pub restarts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub task_queues: Vec<String>,
}

/// Temporal at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct TemporalStatus {
    pub address: String,
    pub managed: bool,
    pub namespace: String,
    /// Where its web pages are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui: Option<String>,
    /// Whether the server's workers are connected to it.
    pub connected: bool,
}

impl Status {
    /// How the daemon of `layout` stands. Takes a few seconds at most.
    pub async fn of(layout: &Layout) -> Self {
        match Record::of_running(layout) {
            Some(record) => Self::of_record(record).await,
            None => Self::without_supervisor(layout),
        }
    }

    async fn of_record(record: Record) -> Self {
        let settings = &record.settings;
        let address = record.address();
        let parts: Vec<_> = record.parts.iter().map(PartStatus::of).collect();
        let (api, llm) = tokio::join!(Api::of(&address), LlmState::of(&settings.llm));
        let server = parts.iter().find(|row| row.part == Part::Server);
        let works = api.answers && server.is_some_and(|row| row.state == State::Running);
        let ui = match &settings.temporal {
            Temporal::Managed(managed) => Some(format!("http://localhost:{}", managed.ui_port)),
            Temporal::External { .. } => None,
        };
        Self {
            state: match record.stage {
                Stage::Starting => Overall::Starting,
                Stage::Stopping => Overall::Stopping,
                Stage::Up if works => Overall::Running,
                Stage::Up => Overall::Broken,
            },
            supervisor: Some(Supervisor {
                pid: record.supervisor.pid,
                frozen: record.supervisor.is_frozen(),
            }),
            temporal: Some(TemporalStatus {
                address: settings.temporal.address(),
                managed: ui.is_some(),
                namespace: settings.namespace.clone(),
                ui,
                connected: api.temporal,
            }),
            address: Some(address),
            parts,
            llm: Some(llm),
            record: Some(record),
        }
    }

    /// Nobody runs anything, unless a supervisor was killed and left something behind.
    fn without_supervisor(layout: &Layout) -> Self {
        let leases = layout
            .leases()
            .read_dir_utf8()
            .into_iter()
            .flatten()
            .flatten();
        let left = leases.filter_map(|lease| {
            let id = lease.file_name().strip_suffix(".json")?.to_owned();
            Some(leased(&layout.leases(), &id))
        });
        let alive = left.flatten().filter(|process| process.identity.is_alive());
        let parts: Vec<_> = alive
            .filter_map(|p| PartStatus::left(&p.name, p.identity))
            .collect();
        Self {
            state: match parts.is_empty() {
                true => Overall::Stopped,
                false => Overall::Broken,
            },
            supervisor: None,
            address: None,
            parts,
            temporal: None,
            llm: None,
            record: None,
        }
    }
}

impl PartStatus {
    fn of(row: &PartRecord) -> Self {
        let state = seen(row.state, row.process);
        Self {
            part: row.part,
            state,
            pid: row
                .process
                .filter(Identity::is_alive)
                .map(|process| process.pid),
            restarts: row.restarts,
            last_failure: row.last_failure.clone(),
            address: row.address.clone(),
            version: row.version.clone(),
            task_queues: row.task_queues.clone(),
        }
    }

    fn left(name: &str, process: Identity) -> Option<Self> {
        Some(Self {
            part: Part::named(name)?,
            state: State::Unhealthy,
            pid: Some(process.pid),
            restarts: 0,
            last_failure: Some("its supervisor is gone; 'stigmer server stop' ends it".to_owned()),
            address: None,
            version: None,
            task_queues: Vec::new(),
        })
    }
}

/// What the process table makes of what the record says: the supervisor may not have noticed yet.
fn seen(told: State, process: Option<Identity>) -> State {
    match (told, process) {
        (State::Running | State::Starting, Some(process)) if !process.is_alive() => State::Failed,
        (State::Running | State::Starting, Some(process)) if process.is_frozen() => {
            State::Unhealthy
        }
        (State::Running, None) => State::Failed,
        (told, _) => told,
    }
}

/// What the API says about itself.
#[derive(Clone, Copy, Debug, Default)]
struct Api {
    answers: bool,
    temporal: bool,
}

impl Api {
    async fn of(address: &str) -> Self {
        let Ok(mut server) = Health::of(address, ANSWER).await else {
            return Self::default();
        };
        let answers = server.serves("").await.is_ok();
        Self {
            answers,
            temporal: answers && server.serves(SERVERS_TEMPORAL).await.is_ok(),
        }
    }
}

/// Whether a server at `address` is connected to Temporal.
pub async fn temporal_works(address: &str) -> Result<(), String> {
    Health::of(address, ANSWER)
        .await?
        .serves(health::SERVERS_TEMPORAL)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_table_has_the_last_word() {
        let own = Identity::own().unwrap();
        let gone = Identity {
            start: own.start.wrapping_sub(1),
            ..own
        };
        assert_eq!(seen(State::Running, Some(own)), State::Running);
        assert_eq!(seen(State::Running, Some(gone)), State::Failed);
        assert_eq!(seen(State::Starting, Some(gone)), State::Failed);
        assert_eq!(seen(State::Running, None), State::Failed);
        assert_eq!(seen(State::Restarting, None), State::Restarting);
        assert_eq!(seen(State::Failed, None), State::Failed);
    }

    #[test]
    fn a_frozen_process_does_not_run() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Identity::of(child.id()).unwrap();
        process.signal(stigmer_supervise::Signal::STOP);
        while !process.is_frozen() {
            std::thread::yield_now();
        }
        assert_eq!(seen(State::Running, Some(process)), State::Unhealthy);
        child.kill().unwrap();
        assert_eq!(
            {
                // Killed and not reaped: a zombie.
                while process.is_alive() {
                    std::thread::yield_now();
                }
                seen(State::Running, Some(process))
            },
            State::Failed
        );
        child.wait().unwrap();
    }
}
