//! Leases: what an owner has started, written down so that the next one can clean up after an owner
//! that could not.

use std::{collections::HashSet, fs, io::Write};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Identity, leftovers};

/// The file's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    run_id: String,
    owner: Option<Identity>,
    processes: Vec<LeasedProcess>,
}

/// One process that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeasedProcess {
    /// Its name in reports.
    pub name: String,
    /// Which process.
    pub identity: Identity,
}

/// The lease of this run. Its file is whole at any moment.
#[derive(Debug)]
pub struct Lease {
    file: Utf8PathBuf,
    record: Record,
}

impl Lease {
    /// Takes a lease for this process in `folder`.
    pub fn take(folder: &Utf8Path, run_id: &str) -> Result<Self> {
        let record = Record {
            run_id: run_id.to_owned(),
            owner: Identity::own(),
            processes: Vec::new(),
        };
        let lease = Self {
            file: folder.join(format!("{run_id}.json")),
            record,
        };
        lease.write()?;
        Ok(lease)
    }

    /// Notes a started process.
    pub fn add(&mut self, name: &str, identity: Identity) -> Result<()> {
        self.record.processes.push(LeasedProcess {
            name: name.to_owned(),
            identity,
        });
        self.write()
    }

    /// Crosses an ended process off.
    pub fn remove(&mut self, identity: Identity) -> Result<()> {
        self.record
            .processes
            .retain(|process| process.identity != identity);
        self.write()
    }

    /// Gives the lease back: nothing of the run is left.
    pub fn give_back(self) -> Result<()> {
        fs::remove_file(&self.file)
            .with_context(|| format!("failed to remove the lease {}", self.file))
    }

    fn write(&self) -> Result<()> {
        write(&self.file, &self.record)
    }
}

/// Replaces `file` in one step, never leaving a part of it.
fn write(file: &Utf8Path, record: &Record) -> Result<()> {
    let part = file.with_extension("part");
    let replace = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_vec(record)?;
        fs::File::create(&part)?.write_all(&text)?;
        fs::rename(&part, file)
    };
    replace().with_context(|| format!("failed to write the lease {file}"))
}

fn read(file: &Utf8Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The processes of run `run_id` as its lease in `folder` lists them; none without a lease.
pub fn leased(folder: &Utf8Path, run_id: &str) -> Vec<LeasedProcess> {
    read(&folder.join(format!("{run_id}.json"))).map_or_else(Vec::new, |record| record.processes)
}

/// What [`reconcile`] did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconciled {
    /// Runs whose owner is gone.
    pub runs: Vec<String>,
    /// Their processes that were still there, and were killed.
    pub killed: usize,
}

/// Ends what runs with a dead owner left behind, by their leases in `folder` and by the mark
/// `variable` in the environment. A process that merely took over a pid is left alone, and so is every run whose owner
/// lives. A lease that cannot be read is removed: it names nothing.
pub fn reconcile(folder: &Utf8Path, variable: &str) -> Result<Reconciled> {
    let mut dead = Vec::new();
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Reconciled::default());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read the leases in {folder}"));
        }
    };
    for entry in entries {
        let file = entry
            .with_context(|| format!("failed to read the leases in {folder}"))?
            .into_path();
        if file.extension() != Some("json") {
            continue;
        }
        let record = read(&file);
        if !record
            .as_ref()
            .is_some_and(|record| record.owner.is_some_and(|owner| owner.is_alive()))
        {
            dead.push((file, record));
        }
    }
    let mut done = Reconciled::default();
    for record in dead.iter().filter_map(|(_, record)| record.as_ref()) {
        done.runs.push(record.run_id.clone());
        done.killed += record
            .processes
            .iter()
            .filter(|process| process.identity.signal(super::Signal::KILL))
            .count();
    }
    let runs: HashSet<String> = done.runs.iter().cloned().collect();
    if !runs.is_empty() {
        // Without `/proc` the leases are all there is to go by.
        done.killed += leftovers::find(variable, &runs)
            .map(|found| leftovers::kill(&found))
            .unwrap_or_default();
    }
    for (file, _) in dead {
        // Another run may be reconciling at the same time.
        let _ = fs::remove_file(file);
    }
    done.runs.sort();
    Ok(done)
}

#[cfg(test)]
mod tests;
