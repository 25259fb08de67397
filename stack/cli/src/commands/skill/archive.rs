//! A skill's directory as a ZIP file. The same files give the same bytes on every machine: the hash
//! of the archive is the skill's version.

use std::{
    fs,
    io::{self, Cursor, Write as _},
    os::unix::fs::PermissionsExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

const SKILL_MD: &str = "SKILL.md";

/// Names that are no part of a skill, at any depth. A `*` at the end stands for the rest of a name.
const LEFT_OUT: &[&str] = &[
    ".git*",
    "node_modules",
    ".venv",
    "venv*",
    "__pycache__",
    ".pytest_cache",
    ".idea",
    ".vscode",
    ".DS_Store",
    "Thumbs.db",
    ".Python",
    ".env*",
];

/// Ends of file names that are no part of a skill.
const LEFT_OUT_ENDS: &[&str] = &[
    ".pyc", ".pyo", ".pyd", ".so", ".dylib", ".dll", ".class", ".log", ".swp", ".swo", "~",
];

/// Why a directory cannot be a skill.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(
        "SKILL.md not found in {0}\n\n\
         A skill is a directory with a SKILL.md that says what it is for.\n\
         Name another one: stigmer skill push <directory>"
    )]
    NoSkillMd(Utf8PathBuf),
    #[error("failed to read {path}")]
    Read {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("{0} is a symbolic link; a skill holds files and directories only")]
    Link(Utf8PathBuf),
    #[error("{0} is neither a file nor a directory; a skill holds nothing else")]
    Special(Utf8PathBuf),
    #[error("failed to archive {path}")]
    Zip { path: Utf8PathBuf, source: ZipError },
}

/// The files of a skill, known but not read.
#[derive(Debug)]
pub struct Archive {
    dir: Utf8PathBuf,
    /// In the order of their names.
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    /// Relative, with `/` between its parts.
    name: String,
    size: u64,
    executable: bool,
}

impl Archive {
    /// What `dir` holds, without what is left out.
    pub fn of(dir: &Utf8Path) -> Result<Self, ArchiveError> {
        if !dir.join(SKILL_MD).is_file() {
            return Err(ArchiveError::NoSkillMd(dir.to_owned()));
        }
        let mut files = Vec::new();
        walk(dir, "", &mut files)?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            dir: dir.to_owned(),
            files,
        })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The size of all files together, in bytes, before they are compressed.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The bytes of the ZIP file.
    pub fn zip(&self) -> Result<Vec<u8>, ArchiveError> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for file in &self.files {
            let path = self.dir.join(&file.name);
            let content = fs::read(&path).map_err(|source| ArchiveError::Read {
                path: path.clone(),
                source,
            })?;
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .unix_permissions(if file.executable { 0o755 } else { 0o644 });
            zip.start_file(file.name.as_str(), options)
                .and_then(|()| Ok(zip.write_all(&content)?))
                .map_err(|source| ArchiveError::Zip { path, source })?;
        }
        match zip.finish() {
            Ok(cursor) => Ok(cursor.into_inner()),
            Err(source) => Err(ArchiveError::Zip {
                path: self.dir.clone(),
                source,
            }),
        }
    }
}

/// Adds the files of `dir`, whose names begin with `prefix`.
fn walk(dir: &Utf8Path, prefix: &str, files: &mut Vec<File>) -> Result<(), ArchiveError> {
    let fail = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source: io::Error| ArchiveError::Read { path, source }
    };
    for entry in dir.read_dir_utf8().map_err(fail(dir))? {
        let entry = entry.map_err(fail(dir))?;
        let (path, name) = (entry.path(), entry.file_name());
        if is_left_out(name) {
            continue;
        }
        let metadata = fs::symlink_metadata(path).map_err(fail(path))?;
        let name = format!("{prefix}{name}");
        if metadata.is_symlink() {
            return Err(ArchiveError::Link(path.to_owned()));
        } else if metadata.is_dir() {
            walk(path, &format!("{name}/"), files)?;
        } else if metadata.is_file() {
            files.push(File {
                name,
                size: metadata.len(),
                executable: metadata.permissions().mode() & 0o111 != 0,
            });
        } else {
            return Err(ArchiveError::Special(path.to_owned()));
        }
    }
    Ok(())
}

/// Whether a file or directory called so is no part of a skill.
fn is_left_out(name: &str) -> bool {
    LEFT_OUT
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        })
        || LEFT_OUT_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::fs::symlink};

    use zip::ZipArchive;

    use super::*;

    fn skill(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::try_from(root.path().join("reviewer")).unwrap();
        for (name, content) in files {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        (root, dir)
    }

    fn names(zip: &[u8]) -> Vec<String> {
        let archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        archive.file_names().map(str::to_owned).collect()
    }

    #[test]
    fn the_archive_has_the_files_of_the_skill_in_order_and_no_others() {
        let (_root, dir) = skill(&[
            ("scripts/run.sh", "#!/bin/sh\n"),
            ("SKILL.md", "# Räder\n"),
            ("docs/a.md", "a"),
            ("docs/environment.md", "b"),
            (".git/config", "no"),
            (".gitignore", "no"),
            (".env.local", "SECRET=1"),
            ("lib/node_modules/x.js", "no"),
            ("lib/venv3/x.py", "no"),
            ("lib/x.pyc", "no"),
            ("notes~", "no"),
        ]);
        let archive = Archive::of(&dir).unwrap();
        let zip = archive.zip().unwrap();
        assert_eq!(
            names(&zip),
            [
                "SKILL.md",
                "docs/a.md",
                "docs/environment.md",
                "scripts/run.sh"
            ]
        );
        assert_eq!((archive.len(), archive.size()), (4, 9 + 1 + 1 + 10));
        let mut text = String::new();
        let mut archive = ZipArchive::new(Cursor::new(&zip)).unwrap();
        archive
            .by_name("SKILL.md")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "# Räder\n");
    }

    #[test]
    fn the_same_files_are_the_same_bytes_whenever_and_wherever_they_were_written() {
        let files = [("SKILL.md", "# A\n"), ("run.sh", "#!/bin/sh\n")];
        let ((_a, first), (_b, second)) = (skill(&files), skill(&files));
        let run = second.join("run.sh");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o600)).unwrap();
        let old = fs::File::options().write(true).open(&run).unwrap();
        old.set_modified(std::time::UNIX_EPOCH).unwrap();
        let zip = |dir: &Utf8Path| Archive::of(dir).unwrap().zip().unwrap();
        assert_eq!(zip(&first), zip(&second));
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
        assert_ne!(zip(&first), zip(&second), "to be a program is a difference");
    }

    #[test]
    fn a_directory_without_its_description_is_no_skill() {
        let (_root, dir) = skill(&[("README.md", "x"), ("SKILL.md/x", "a directory")]);
        let error = Archive::of(&dir).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("SKILL.md not found in {dir}\n")),
            "{error}"
        );
    }

    #[test]
    fn what_leads_out_of_the_directory_is_refused() {
        let (_root, dir) = skill(&[("SKILL.md", "x")]);
        symlink("/etc/passwd", dir.join("data")).unwrap();
        let error = Archive::of(&dir).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{dir}/data is a symbolic link; a skill holds files and directories only")
        );
    }
}
