//! Where a daemon keeps what it needs, all of it below one HOME (`docs/contract/cli.md`, section 2).

use std::{env, fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Part;

/// There is no place for a daemon.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("HOME is not set, so there is no place for the server's data; set it")]
    NoHome,
    #[error("failed to make {folder}: {source}; make it writable")]
    Folder {
        folder: Utf8PathBuf,
        source: io::Error,
    },
}

/// The files of one daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layout {
    /// `$HOME/.stigmer`.
    home: Utf8PathBuf,
}

impl Layout {
    /// The files of the user's daemon.
    pub fn of_user() -> Result<Self, LayoutError> {
        let home = env::var("HOME").ok().filter(|home| !home.is_empty());
        let home = home.map(Utf8PathBuf::from).ok_or(LayoutError::NoHome)?;
        Ok(Self::below(&home))
    }

    /// The files of the daemon of `home`.
    pub fn below(home: &Utf8Path) -> Self {
        Self {
            home: home.join(".stigmer"),
        }
    }

    /// Makes the folders.
    pub fn prepare(&self) -> Result<(), LayoutError> {
        let folders = [
            self.data(),
            self.logs(),
            self.home.join("logs"),
            self.ready(),
            self.home.join("temporal-data"),
        ];
        folders.into_iter().try_for_each(|folder| {
            fs::create_dir_all(&folder).map_err(|source| LayoutError::Folder { folder, source })
        })
    }

    /// `$HOME/.stigmer`.
    pub fn home(&self) -> &Utf8Path {
        &self.home
    }

    /// What the daemon itself writes.
    pub fn data(&self) -> Utf8PathBuf {
        self.home.join("data")
    }

    /// The logs of the parts.
    pub fn logs(&self) -> Utf8PathBuf {
        self.data().join("logs")
    }

    /// The log of `part`.
    pub fn log(&self, part: Part) -> Utf8PathBuf {
        match part {
            Part::Temporal => self.home.join("logs/temporal.log"),
            _ => self.logs().join(format!("{}.log", part.name())),
        }
    }

    /// The log of the supervisor.
    pub fn supervisor_log(&self) -> Utf8PathBuf {
        self.logs().join("supervisor.log")
    }

    /// Where other tools look for the process id of `part`.
    pub fn pid_file(&self, part: Part) -> Utf8PathBuf {
        match part {
            Part::Server => self.data().join("daemon.pid"),
            Part::Temporal => self.home.join("temporal.pid"),
            _ => self.data().join(format!("{}.pid", part.name())),
        }
    }

    /// Where `part` says that it works.
    pub fn ready_file(&self, part: Part) -> Utf8PathBuf {
        self.ready().join(format!("{}.json", part.name()))
    }

    /// What the supervisor says about itself and its parts.
    pub fn record(&self) -> Utf8PathBuf {
        self.data().join("daemon.json")
    }

    /// What was started, by pid and start time.
    pub fn leases(&self) -> Utf8PathBuf {
        self.data().join("leases")
    }

    /// Keeps two commands that start or stop apart.
    pub fn lock(&self) -> Utf8PathBuf {
        self.data().join("daemon.lock")
    }

    /// The store of a managed Temporal.
    pub fn temporal_store(&self) -> Utf8PathBuf {
        self.home.join("temporal-data/temporal.db")
    }

    fn ready(&self) -> Utf8PathBuf {
        self.data().join("ready")
    }
}
