//! The folder of one execution: where skills are unpacked and programs of MCP servers run. It goes
//! with the execution.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

/// How the names of all folders begin.
const PREFIX: &str = "execution-";

/// What is older than this belongs to no execution any more: they take minutes.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder that is removed when this value is dropped.
#[derive(Debug)]
pub struct Workspace(TempDir);

/// There is no folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to make a folder for the execution in {}: {source}; set SANDBOX_ROOT_DIR to a folder that can be written to", .root.display()
)]
pub struct WorkspaceError {
    root: PathBuf,
    source: io::Error,
}

impl Workspace {
    /// A new folder in `root`, which is made as well, readable for this user alone.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(root: &Path) -> Result<Self, WorkspaceError> {
        let made = fs::create_dir_all(root)
            .and_then(|()| fs::canonicalize(root))
            .and_then(|root| tempfile::Builder::new().prefix(PREFIX).tempdir_in(root));
        made.map(Self).map_err(|source| WorkspaceError {
            root: root.to_owned(),
            source,
        })
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Removes what runners that were killed have left in `root`. What cannot be removed stays.
pub fn remove_stale(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    let now = SystemTime::now();
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|modified| now.duration_since(modified).unwrap_or_default());
        if ours && age.is_ok_and(|age| age > STALE) {
            let path = entry.path();
            match fs::remove_dir_all(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "stale workspace removed"),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "stale workspace stays")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_goes_with_everything_in_it() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(&root.path().join("a/b")).unwrap();
        let path = workspace.path().to_owned();
        fs::create_dir_all(path.join("bin/skills")).unwrap();
        drop(workspace);
        assert!(!path.exists());
    }

    #[test]
    fn a_root_that_cannot_be_used_is_named_with_its_setting() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Workspace::create(file.path()).unwrap_err().to_string();
        assert!(error.contains("SANDBOX_ROOT_DIR"), "{error}");
    }

    #[test]
    fn what_killed_runners_left_is_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * STALE;
        for (name, is_old) in [
            ("execution-a", true),
            ("execution-b", false),
            ("mine", true),
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.join("bin")).unwrap();
            if is_old {
                fs::File::open(&path).unwrap().set_modified(old).unwrap();
            }
        }
        remove_stale(root.path());
        remove_stale(&root.path().join("nowhere"));
        let left = |name: &str| root.path().join(name).exists();
        assert!(!left("execution-a") && left("execution-b") && left("mine"));
    }
}
