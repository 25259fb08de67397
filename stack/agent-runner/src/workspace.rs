//! The folder of one execution: where skills are unpacked and programs of MCP servers run. It goes
//! with the execution.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

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
            .and_then(|root| {
                tempfile::Builder::new()
                    .prefix("execution-")
                    .tempdir_in(root)
            });
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
}
