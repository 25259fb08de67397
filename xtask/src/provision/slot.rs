//! One artefact's place in the cache: `<tool>/<version>/<platform>/`, whole or absent.
//!
//! Beside it, while it is fetched: `<platform>.lock`, held by the one process that writes, and
//! `<platform>.part/`, in which everything happens until one rename puts the folder in place.

use std::{fs, io};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{read_json, write_json};

use super::{
    Provisioned, Source, disk, package_of,
    verify::{Fingerprint, sha256_of, size_and_time},
};
use crate::pins::{Download, Pin, Sha256Hex};

const STAMP: &str = "stamp.json";

/// Where an artefact is kept.
#[derive(Debug)]
pub struct Slot {
    /// The unpacked package, once it is whole and proven.
    pub folder: Utf8PathBuf,
    /// Work in progress.
    pub part: Utf8PathBuf,
    lock: Utf8PathBuf,
}

/// What is in a slot.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// The artefact, unchanged since it was proven.
    Intact,
    /// Nothing.
    Absent,
    /// Something else; why, for people.
    Broken(String),
}

/// Written into a folder before it is put in place: what was proven.
#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    wheel_sha256: Sha256Hex,
    member: Fingerprint,
    /// The package's other files and their sizes.
    others: Vec<(Utf8PathBuf, u64)>,
}

impl Stamp {
    fn is_of(&self, pin: &Pin<'_>) -> bool {
        let Download { wheel, member } = pin.download;
        (&self.wheel_sha256, &self.member.sha256) == (&wheel.sha256, &member.sha256)
    }

    fn compare_sizes(&self, folder: &Utf8Path) -> Result<(), String> {
        let others = self.others.iter().map(|(path, size)| (path, *size));
        for (path, size) in others.chain([(&self.member.path, self.member.size)]) {
            let found =
                fs::metadata(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
            if found.len() != size {
                return Err(format!("{path} has {} bytes, not {size}", found.len()));
            }
        }
        Ok(())
    }

    fn with_time(self, modified_ns: u64) -> Self {
        let member = Fingerprint {
            modified_ns,
            ..self.member
        };
        Self { member, ..self }
    }
}

impl Slot {
    /// The slot of a pin below `cache`.
    pub fn new(cache: &Utf8Path, pin: &Pin<'_>) -> Self {
        let version = cache.join(pin.tool.name()).join(&pin.artefact.version);
        let beside = |suffix: &str| version.join(format!("{}{suffix}", pin.platform));
        Self {
            folder: beside(""),
            part: beside(".part"),
            lock: beside(".lock"),
        }
    }

    /// The pinned file in this slot.
    pub fn member(&self, pin: &Pin<'_>) -> Utf8PathBuf {
        self.folder.join(&pin.download.member.path)
    }

    /// The artefact in this slot, which must be intact.
    pub fn provisioned(&self, pin: &Pin<'_>, source: Source) -> Provisioned {
        Provisioned {
            tool: pin.tool,
            version: pin.artefact.version.clone(),
            file: self.member(pin),
            folder: self.folder.clone(),
            sha256: pin.download.member.sha256.clone(),
            source,
            package: Some(package_of(pin)),
        }
    }

    /// Whether the slot holds what the pin says. Sizes and times are compared, as in `make`; the
    /// content is read only if a time differs, as after a restored backup.
    pub fn state(&self, pin: &Pin<'_>) -> State {
        if !self.folder.is_dir() {
            return State::Absent;
        }
        let stamp: Stamp = match read_json(&self.folder.join(STAMP)) {
            Ok(stamp) => stamp,
            Err(why) => return State::Broken(format!("{why:#}")),
        };
        if !stamp.is_of(pin) {
            return State::Broken("it was made from another pin".to_owned());
        }
        if let Err(why) = stamp.compare_sizes(&self.folder) {
            return State::Broken(why);
        }
        match size_and_time(&self.member(pin)) {
            Ok((_, time)) if time == stamp.member.modified_ns => State::Intact,
            Ok((_, time)) => self.reread(pin, stamp.with_time(time)),
            Err(error) => State::Broken(error.to_string()),
        }
    }

    /// Like [`Self::state`], but reads the content whatever the times say.
    pub fn verified_state(&self, pin: &Pin<'_>) -> State {
        match self.state(pin) {
            State::Intact => self.compare_content(pin),
            other => other,
        }
    }

    fn compare_content(&self, pin: &Pin<'_>) -> State {
        match sha256_of(&self.member(pin)) {
            Ok(sha256) if sha256 == pin.download.member.sha256 => State::Intact,
            Ok(sha256) => State::Broken(format!(
                "it has sha256 {sha256}, the pin says {}",
                pin.download.member.sha256
            )),
            Err(error) => State::Broken(error.to_string()),
        }
    }

    fn reread(&self, pin: &Pin<'_>, stamp: Stamp) -> State {
        let state = self.compare_content(pin);
        if state == State::Intact {
            // Only saves reading it again next time, so a read-only cache is fine.
            let _ = write_json(&self.folder.join(STAMP), &stamp);
        }
        state
    }

    /// Waits until no other process writes to this slot. Held until the file is dropped, or the
    /// process dies. `on_wait` is called if there is somebody to wait for.
    pub fn lock(&self, on_wait: impl FnOnce()) -> Result<fs::File> {
        let parent = self.lock.parent().unwrap_or(Utf8Path::new("/"));
        fs::create_dir_all(parent).map_err(|error| disk::failure_at(parent, error))?;
        let file =
            fs::File::create(&self.lock).map_err(|error| disk::failure_at(&self.lock, error))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => on_wait(),
            Err(fs::TryLockError::Error(error)) => return Err(disk::failure_at(&self.lock, error)),
        }
        file.lock()
            .map_err(|error| disk::failure_at(&self.lock, error))?;
        Ok(file)
    }

    /// Empties the slot, so that the next run fetches.
    pub fn discard(&self) -> Result<()> {
        remove_folder(&self.folder).map_err(|error| disk::failure_at(&self.folder, error))
    }

    /// Puts an unpacked and proven package in place, in one step. The lock must be held.
    pub fn commit(&self, unpacked: &Utf8Path, pin: &Pin<'_>) -> Result<()> {
        let stamp = stamp(unpacked, pin).map_err(|error| disk::failure_at(unpacked, error))?;
        write_json(&unpacked.join(STAMP), &stamp)
            .map_err(|error| disk::failure_at(unpacked, error))?;
        remove_folder(&self.folder)
            .and_then(|()| fs::rename(unpacked, &self.folder))
            .map_err(|error| disk::failure_at(&self.folder, error))
    }
}

fn stamp(unpacked: &Utf8Path, pin: &Pin<'_>) -> io::Result<Stamp> {
    let member = &pin.download.member;
    let (size, modified_ns) = size_and_time(&unpacked.join(&member.path))?;
    let mut others = Vec::new();
    let mut folders = vec![Utf8PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in unpacked.join(&folder).read_dir_utf8()? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path != member.path {
                others.push((path, entry.metadata()?.len()));
            }
        }
    }
    let member = Fingerprint {
        path: member.path.clone(),
        size,
        modified_ns,
        sha256: member.sha256.clone(),
    };
    Ok(Stamp {
        wheel_sha256: pin.download.wheel.sha256.clone(),
        member,
        others,
    })
}

/// Removes a folder; one that is not there is fine.
pub fn remove_folder(folder: &Utf8Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
