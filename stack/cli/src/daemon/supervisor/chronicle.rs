//! What the supervisor writes down for others: the record, and the pid files of the contract.

use std::{
    fs, io,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use stigmer_supervise::{Identity, Phase, ServiceState};

use super::services;
use crate::daemon::{Part, PartRecord, Record, Settings, Stage, State, settings::Temporal};

/// The record of this supervisor.
pub struct Chronicle {
    record: Record,
    settings: Rc<Settings>,
}

impl Chronicle {
    /// Nothing is started yet.
    pub fn new(own: Identity, settings: Rc<Settings>) -> Self {
        let record = Record {
            supervisor: own,
            started_at: stigmer_api::time::rfc3339_now(),
            stage: Stage::Starting,
            settings: (*settings).clone(),
            parts: Vec::new(),
        };
        Self { record, settings }
    }

    /// Whether everything was ready once.
    pub fn is_up(&self) -> bool {
        self.record.stage == Stage::Up
    }

    /// Everything is ready.
    pub fn up(&mut self) {
        self.record.stage = Stage::Up;
        tracing::info!("everything works");
    }

    /// Writes down how the parts stand.
    pub fn note(&mut self, states: &[ServiceState]) {
        let parts: Vec<_> = states.iter().filter_map(|state| self.row(state)).collect();
        for (index, new) in parts.iter().enumerate() {
            let old = self.record.parts.get(index);
            let before = old.map_or((State::Stopped, None), |old| (old.state, old.process));
            if before != (new.state, new.process) {
                log(new);
                self.note_pid(new);
            }
        }
        self.record.parts = parts;
        // A full disk must not end what runs; whoever reads the record checks it against the
        // process table.
        if let Err(error) = self.record.write(&self.settings.layout) {
            tracing::error!(%error, "failed to write {}", self.settings.layout.record());
        }
    }

    /// Everything is going to be stopped.
    pub fn ending(&mut self, states: &[ServiceState]) {
        self.record.stage = Stage::Stopping;
        self.note(states);
    }

    /// Everything is stopped: what was written says nothing any more.
    pub fn close(&self) {
        let layout = &self.settings.layout;
        for part in Part::ALL {
            remove(&layout.pid_file(part));
            remove(&layout.ready_file(part));
        }
        remove(&layout.record());
    }

    fn row(&self, state: &ServiceState) -> Option<PartRecord> {
        let part = Part::named(&state.name)?;
        let now = match (state.phase, state.failed) {
            (Phase::Gone, true) => State::Failed,
            (Phase::Gone | Phase::Idle | Phase::Stopping, _) => State::Stopped,
            (Phase::Starting, _) => State::Starting,
            (Phase::Ready, _) => State::Running,
            (Phase::Unhealthy, _) => State::Unhealthy,
            (Phase::Restarting, _) => State::Restarting,
        };
        let ready = (now == State::Running).then(|| services::ready(&self.settings, part));
        let ready = ready.flatten();
        let (mut address, mut version) = match &ready {
            Some(ready) => (ready.address.clone(), Some(ready.version.clone())),
            None => (None, None),
        };
        if let (Part::Temporal, Temporal::Managed(managed)) = (part, &self.settings.temporal) {
            address = Some(self.settings.temporal.address());
            version = Some(managed.version.clone());
        }
        Some(PartRecord {
            part,
            state: now,
            process: state.process,
            restarts: state.restarts,
            last_failure: state.last_failure.clone(),
            address,
            version,
            task_queues: ready.map(|ready| ready.task_queues).unwrap_or_default(),
        })
    }

    fn note_pid(&self, row: &PartRecord) {
        let path = self.settings.layout.pid_file(row.part);
        let Some(process) = row.process else {
            remove(&path);
            return;
        };
        let text = match row.part {
            Part::Temporal => format!("{}\ntemporal\n{}\n", process.pid, unix_seconds()),
            _ => process.pid.to_string(),
        };
        if let Err(error) = fs::write(&path, text) {
            tracing::warn!(%error, "failed to write {path}");
        }
    }
}

fn log(row: &PartRecord) {
    let (part, state) = (row.part.name(), row.state);
    let pid = row.process.map(|process| process.pid);
    let (restarts, failure) = (row.restarts, row.last_failure.as_deref());
    match state {
        State::Unhealthy | State::Restarting | State::Failed => {
            tracing::warn!(part, ?state, pid, restarts, failure, "part");
        }
        _ => tracing::info!(part, ?state, pid, restarts, "part"),
    }
}

fn remove(path: &camino::Utf8Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "failed to remove {path}");
        }
        _ => {}
    }
}

fn unix_seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
