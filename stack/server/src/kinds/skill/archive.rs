//! Reading a skill's archive, which may be hostile: nothing is unpacked, and every size is bounded.

use std::io::{Cursor, Read as _};

use zip::{ZipArchive, result::ZipError};

use crate::blocking::blocking;

const SKILL_MD: &str = "SKILL.md";
const MAX_COMPRESSED: usize = 100 << 20;
const MAX_UNCOMPRESSED: u64 = 500 << 20;
const MAX_RATIO: u64 = 100;
const MAX_ENTRIES: usize = 10_000;
const MAX_SKILL_MD: u64 = 1 << 20;

/// The archive is not that of a skill.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no ZIP file, or a damaged one.
    #[error("the archive is not a readable ZIP file: {0}")]
    NotZip(#[from] ZipError),
    /// It is too large, or too many things.
    #[error("the archive has {what} {found}, at most {limit} are allowed")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// An entry would be unpacked outside of the skill's folder, or cannot be shown.
    #[error("the archive has the entry {0:?}, whose name is not a plain path inside the archive")]
    Name(String),
    /// An entry points elsewhere.
    #[error("the archive has the symbolic link {0:?}")]
    Link(String),
    /// There is no description.
    #[error("the archive has no SKILL.md at its root")]
    NoSkillMd,
    /// The description cannot be used.
    #[error("the SKILL.md of the archive is {0}")]
    SkillMd(&'static str),
}

/// The text of `SKILL.md` of a ZIP file that keeps to all limits.
pub async fn read_skill_md(content: Vec<u8>) -> Result<String, ArchiveError> {
    // Unpacking up to a mebibyte takes milliseconds that other requests should not wait for.
    blocking(move || read(&content)).await
}

fn read(content: &[u8]) -> Result<String, ArchiveError> {
    limit("bytes", content.len() as u64, MAX_COMPRESSED as u64)?;
    let mut archive = ZipArchive::new(Cursor::new(content))?;
    limit("entries", archive.len() as u64, MAX_ENTRIES as u64)?;
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name().to_owned();
        if entry.is_symlink() {
            return Err(ArchiveError::Link(name));
        }
        if !is_plain(&name) {
            return Err(ArchiveError::Name(name));
        }
        total = total.saturating_add(entry.size());
        limit("unpacked bytes", total, MAX_UNCOMPRESSED)?;
        if let Some(ratio) = entry.size().checked_div(entry.compressed_size()) {
            limit("an entry with a compression ratio of", ratio, MAX_RATIO)?;
        }
    }
    read_description(archive)
}

/// Whether a name is a path inside the archive on every system that may unpack it.
fn is_plain(name: &str) -> bool {
    let path = name.strip_suffix('/').unwrap_or(name);
    let part = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(part)
        && !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '\\' | ':'))
}

fn read_description(mut archive: ZipArchive<Cursor<&[u8]>>) -> Result<String, ArchiveError> {
    let entry = match archive.by_name(SKILL_MD) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Err(ArchiveError::NoSkillMd),
        Err(error) => return Err(error.into()),
    };
    let mut text = Vec::new();
    // The size that the archive declares may be a lie; one byte more than allowed tells.
    entry
        .take(MAX_SKILL_MD + 1)
        .read_to_end(&mut text)
        .map_err(|error| ArchiveError::NotZip(error.into()))?;
    limit(
        "a SKILL.md whose bytes are",
        text.len() as u64,
        MAX_SKILL_MD,
    )?;
    match String::from_utf8(text) {
        Ok(text) if text.is_empty() => Err(ArchiveError::SkillMd("empty")),
        Ok(text) => Ok(text),
        Err(_) => Err(ArchiveError::SkillMd("not UTF-8 text")),
    }
}

fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), ArchiveError> {
    if found <= limit {
        Ok(())
    } else {
        Err(ArchiveError::TooLarge { what, found, limit })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_description_of_a_proper_archive_is_read() {
        let archive = zip(&[
            ("bin/run.sh", b"#!/bin/sh"),
            (SKILL_MD, "# Räder\n".as_bytes()),
        ]);
        assert_eq!(read(&archive).unwrap(), "# Räder\n");
    }

    #[test]
    fn what_is_no_skill_archive_is_refused_with_its_reason() {
        let noise: Vec<u8> = (0..MAX_SKILL_MD as u32 / 2)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for (archive, reason) in [
            (b"no zip at all".to_vec(), "not a readable ZIP"),
            (zip(&[]), "no SKILL.md"),
            (zip(&[("deeper/SKILL.md", b"x")]), "no SKILL.md"),
            (zip(&[("skill.md", b"x")]), "no SKILL.md"),
            (zip(&[(SKILL_MD, b"")]), "empty"),
            (zip(&[(SKILL_MD, b"\xff\xfe")]), "not UTF-8"),
            (zip(&[(SKILL_MD, &noise)]), "at most 1048576"),
            (
                zip(&[(SKILL_MD, b"x"), ("zeros", &vec![0; 1 << 20])]),
                "compression ratio",
            ),
            (zip(&[(SKILL_MD, b"x"), ("../up", b"x")]), "../up"),
            (zip(&[(SKILL_MD, b"x"), ("/etc/up", b"x")]), "/etc/up"),
            (zip(&[(SKILL_MD, b"x"), ("a/../../up", b"x")]), "a/../../up"),
            (zip(&[(SKILL_MD, b"x"), ("C:\\up", b"x")]), "plain path"),
            (zip(&[(SKILL_MD, b"x"), ("a\u{7}b", b"x")]), "plain path"),
        ] {
            let error = read(&archive).unwrap_err().to_string();
            assert!(error.contains(reason), "{reason:?} is missing in {error:?}");
        }
    }

    #[test]
    fn links_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
            .unwrap();
        let archive = writer.finish().unwrap().into_inner();
        assert!(matches!(read(&archive), Err(ArchiveError::Link(name)) if name == "link"));
    }

    #[test]
    fn too_many_entries_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..=MAX_ENTRIES {
            writer
                .start_file(index.to_string(), SimpleFileOptions::default())
                .unwrap();
        }
        let archive = writer.finish().unwrap().into_inner();
        assert!(read(&archive).unwrap_err().to_string().contains("entries"));
    }
}
