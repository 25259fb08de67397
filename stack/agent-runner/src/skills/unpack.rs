//! Putting the files of a skill into a folder, without trusting its archive.

use std::{
    fs::{self, File, Permissions},
    io::{self, Cursor, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

/// The most files of a skill, as for the server.
const MOST_FILES: usize = 10_000;

/// The most bytes of its files together, as for the server.
const MOST_BYTES: u64 = 500 * 1024 * 1024;

/// An archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is not the one that was pushed.
    #[error("its archive is damaged: the SHA-256 does not match; push it again")]
    Damaged,
    /// It is no archive.
    #[error("its archive cannot be read: {0}; push it again")]
    Unreadable(String),
    /// It tries to write elsewhere.
    #[error("its archive holds {0:?}, which is no plain path inside of it")]
    Escapes(String),
    /// It is too large.
    #[error("its archive holds more than 10000 files or 500 MiB")]
    TooLarge,
    /// The disk does not take it.
    #[error("it could not be unpacked: {0}")]
    Io(#[from] io::Error),
}

/// Fills `folder` with the files of `archive`, whose SHA-256 is `hash`, or with `skill_md` alone when
/// there is none. The folder appears as a whole; one that is there already is left as it is.
///
/// # Errors
///
/// When the archive is no good; the folder is not there then.
pub async fn into(
    folder: PathBuf,
    hash: String,
    archive: Option<Vec<u8>>,
    skill_md: String,
) -> Result<(), UnpackError> {
    let unpacking = tokio::task::spawn_blocking(move || place(&folder, &hash, archive, &skill_md));
    match unpacking.await {
        Ok(done) => done,
        Err(error) => Err(io::Error::other(error).into()),
    }
}

fn place(
    folder: &Path,
    hash: &str,
    archive: Option<Vec<u8>>,
    skill_md: &str,
) -> Result<(), UnpackError> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let draft = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(parent)?;
    match archive {
        Some(archive) => {
            if hex(&Sha256::digest(&archive)) != hash {
                return Err(UnpackError::Damaged);
            }
            unpack(archive, draft.path())?;
        }
        None => fs::write(draft.path().join("SKILL.md"), skill_md)?,
    }
    match fs::rename(draft.path(), folder) {
        Ok(()) => {
            // Its new name is where it belongs.
            let _ = draft.keep();
            Ok(())
        }
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn unpack(archive: Vec<u8>, folder: &Path) -> Result<(), UnpackError> {
    let unreadable = |error: zip::result::ZipError| UnpackError::Unreadable(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
    if archive.len() > MOST_FILES {
        return Err(UnpackError::TooLarge);
    }
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        let plain = entry.enclosed_name().filter(|_| !entry.is_symlink());
        let path = plain.ok_or_else(|| UnpackError::Escapes(entry.name().to_owned()))?;
        let path = folder.join(path);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create_new(&path)?;
        // What an archive says of its sizes is a claim; what comes out of it counts.
        let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file)?;
        left = left.checked_sub(written).ok_or(UnpackError::TooLarge)?;
        let executable =
            entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0) || is_script(&path);
        let mode = if executable { 0o755 } else { 0o644 };
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("sh" | "bash" | "py" | "rb" | "pl" | "js"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// An archive of these files, and its SHA-256.
    pub(in crate::skills) fn archive(files: &[(&str, &str)]) -> (Vec<u8>, String) {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let hash = hex(&Sha256::digest(&bytes));
        (bytes, hash)
    }

    fn placed(
        archive: Option<Vec<u8>>,
        hash: &str,
    ) -> (tempfile::TempDir, Result<(), UnpackError>) {
        let root = tempfile::tempdir().unwrap();
        let result = place(
            &root.path().join("skills/x"),
            hash,
            archive,
            "# From the record",
        );
        (root, result)
    }

    fn left_behind(root: &Path) -> usize {
        fs::read_dir(root.join("skills")).unwrap().count()
    }

    #[test]
    fn files_are_unpacked_and_scripts_can_be_run() {
        let (bytes, hash) = archive(&[("SKILL.md", "# A"), ("scripts/run.sh", "#!/bin/sh")]);
        let (root, result) = placed(Some(bytes.clone()), &hash);
        result.unwrap();
        let folder = root.path().join("skills/x");
        assert_eq!(fs::read_to_string(folder.join("SKILL.md")).unwrap(), "# A");
        let mode = |name: &str| {
            fs::metadata(folder.join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode("SKILL.md"), mode("scripts/run.sh")), (0o644, 0o755));
        place(&folder, &hash, Some(bytes), "").expect("a folder that is there already is fine");
        assert_eq!(left_behind(root.path()), 1);
    }

    #[test]
    fn without_an_archive_there_is_what_the_record_holds() {
        let (root, result) = placed(None, "x");
        result.unwrap();
        let text = fs::read_to_string(root.path().join("skills/x/SKILL.md")).unwrap();
        assert_eq!(text, "# From the record");
    }

    #[test]
    fn archives_that_are_no_good_leave_nothing_behind() {
        for name in ["../outside", "/etc/outside", "a/../../outside"] {
            let (bytes, hash) = archive(&[("SKILL.md", "# A"), (name, "x")]);
            let (root, result) = placed(Some(bytes), &hash);
            // An absolute path may also be unpacked inside, as some archivers do.
            if let Ok(()) = result {
                assert!(root.path().join("skills/x/etc/outside").is_file(), "{name}");
            } else {
                assert!(
                    matches!(result, Err(UnpackError::Escapes(_))),
                    "{name}: {result:?}"
                );
                assert_eq!(left_behind(root.path()), 0, "{name}");
            }
            assert!(!root.path().join("outside").exists() && !Path::new("/etc/outside").exists());
        }
        let (bytes, _) = archive(&[("SKILL.md", "# A")]);
        assert!(matches!(
            placed(Some(bytes), "0000").1,
            Err(UnpackError::Damaged)
        ));
        let hash = hex(&Sha256::digest(b"no zip"));
        let result = placed(Some(b"no zip".to_vec()), &hash).1;
        assert!(
            matches!(result, Err(UnpackError::Unreadable(_))),
            "{result:?}"
        );
    }

    #[test]
    fn links_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
            .unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let hash = hex(&Sha256::digest(&bytes));
        let result = placed(Some(bytes), &hash).1;
        assert!(matches!(result, Err(UnpackError::Escapes(_))), "{result:?}");
    }
}
