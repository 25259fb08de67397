//! Files of resources, outside of the database: `STORAGE_PATH/skills/<sha256>.zip`. A file is named
//! after its content, so it is written once and never changes.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::blocking::blocking;

const SKILLS: &str = "skills";

/// Where artefacts are. Clones are the same place.
#[derive(Clone, Debug)]
pub struct Artifacts {
    root: Utf8PathBuf,
}

/// An artefact cannot be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} {path} (STORAGE_PATH): {cause}")]
pub struct ArtifactError {
    /// What was tried, such as `read`.
    pub action: &'static str,
    /// The file or folder.
    pub path: Utf8PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// The lower-case hex SHA-256 of `content`.
pub fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The key of the skill archive with this hash.
pub fn skill_key(hash: &str) -> String {
    format!("{SKILLS}/{hash}.zip")
}

impl Artifacts {
    /// Artefacts below `root`, which is made when absent.
    pub fn open(root: &Utf8Path) -> Result<Self, ArtifactError> {
        let folder = root.join(SKILLS);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&folder)
            .map_err(|cause| ArtifactError {
                action: "make the folder",
                path: folder,
                cause,
            })?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Stores a skill archive under its hash, unless it is there.
    pub async fn store_skill(&self, hash: &str, content: Vec<u8>) -> Result<(), ArtifactError> {
        let path = self.root.join(skill_key(hash));
        blocking(move || {
            if path.exists() {
                return Ok(());
            }
            write_whole(&path, &content).map_err(|cause| ArtifactError {
                action: "write",
                path,
                cause,
            })
        })
        .await
    }

    /// The artefact with this key, or `None` when there is none. A key that no artefact can have,
    /// such as one with `..`, is one that none has.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ArtifactError> {
        if !is_skill_key(key) {
            return Ok(None);
        }
        let path = self.root.join(key);
        blocking(move || match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(ArtifactError {
                action: "read",
                path,
                cause,
            }),
        })
        .await
    }
}

fn is_skill_key(key: &str) -> bool {
    let hash = key
        .strip_prefix(SKILLS)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|rest| rest.strip_suffix(".zip"));
    hash.is_some_and(|hash| {
        hash.len() == 64
            && hash
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Writes the file in one step: readers see none or the whole.
fn write_whole(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", unused_name()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // Best effort: the error that counts is the first.
        let _ = fs::remove_file(&part);
    }
    written
}

/// A name that no other write in flight has.
fn unused_name() -> String {
    stigmer_api::id::new_id(stigmer_api::ApiResourceKind::Skill)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn open() -> (TempDir, Artifacts) {
        let folder = TempDir::new().expect("a temporary folder");
        let root = Utf8PathBuf::from_path_buf(folder.path().join("storage")).expect("a UTF-8 path");
        (folder, Artifacts::open(&root).expect("the folder is made"))
    }

    #[tokio::test]
    async fn what_is_stored_is_read_by_its_key() {
        let (_folder, artifacts) = open();
        let hash = hash(b"content");
        for _ in 0..2 {
            artifacts
                .store_skill(&hash, b"content".to_vec())
                .await
                .unwrap();
        }
        assert_eq!(
            artifacts.read(&skill_key(&hash)).await.unwrap(),
            Some(b"content".to_vec())
        );
        let files: Vec<_> = fs::read_dir(artifacts.root.join(SKILLS)).unwrap().collect();
        assert_eq!(files.len(), 1);
    }

    #[tokio::test]
    async fn no_key_leads_out_of_the_folder() {
        let (folder, artifacts) = open();
        fs::write(folder.path().join("secret.zip"), "secret").unwrap();
        let absolute = folder.path().join("secret.zip").display().to_string();
        let other = hash(b"other");
        for key in [
            "../secret.zip",
            "skills/../../secret.zip",
            absolute.as_str(),
            "",
            &skill_key(&other),
            &skill_key(&other).to_uppercase(),
        ] {
            assert_eq!(artifacts.read(key).await.unwrap(), None, "{key}");
        }
    }
}
