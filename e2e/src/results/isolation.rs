//! What `run.json` says about how far a run was cut off from every other machine.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use stigmer_e2e_hermetic::{Attempt, World};

/// How far a run was cut off.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Isolation {
    /// It was asked for where possible, and is not.
    NotPossible {
        /// Why not.
        why: String,
    },
    /// It was, and whoever tried to leave is known.
    Watched {
        /// What the kernel says.
        #[serde(flatten)]
        world: World,
        /// The names of all variables that the run was given.
        environment: Vec<String>,
        /// The HOME that it was given, empty.
        home: Utf8PathBuf,
        /// What was there at the end; nothing while the run goes on.
        written_to_home: Option<Vec<Utf8PathBuf>>,
        /// Who tried to leave; nothing while the run goes on.
        attempts: Option<Vec<Attempt>>,
    },
}

impl Isolation {
    /// Who tried to leave; nothing when nobody watched.
    pub fn attempts(&self) -> Option<&[Attempt]> {
        match self {
            Self::NotPossible { .. } => None,
            Self::Watched { attempts, .. } => attempts.as_deref(),
        }
    }
}

/// The files below `folder`, relative to it, in order.
pub fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        // What cannot be read was not written by the run's user.
        for entry in next.read_dir_utf8().into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.into_path()),
                _ => files.push(
                    entry
                        .path()
                        .strip_prefix(folder)
                        .unwrap_or(entry.path())
                        .to_owned(),
                ),
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_at_any_depth_are_found_and_empty_folders_are_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir_all(folder.join("a/empty")).unwrap();
        assert_eq!(entries(folder), [""; 0]);
        std::fs::write(folder.join("a/file"), "").unwrap();
        std::fs::write(folder.join("b"), "").unwrap();
        assert_eq!(entries(folder), ["a/file", "b"]);
        assert_eq!(entries(&folder.join("gone")), [""; 0]);
    }
}
