//! Archives that depend on nothing but what is in them: no time, no owner, no order but the caller's.

/// Everything in an archive is a multiple of this long.
const BLOCK: usize = 512;
/// Kinds of entries.
const FILE: &str = "0";
const FOLDER: &str = "5";

/// A POSIX archive (ustar) in memory.
#[derive(Debug, Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds the file `path` of root's with the permissions `mode`; time zero.
    ///
    /// # Panics
    ///
    /// When the path has more than 100 bytes, or the content more than 8 GiB, which the format
    /// cannot say.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.0
            .extend(header(FILE, path, mode, (0, 0), content.len()));
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
    }

    /// Adds the folder `path` of this user and group with the permissions `mode`; time zero.
    ///
    /// # Panics
    ///
    /// When the path has more than 99 bytes.
    pub fn folder(&mut self, path: &str, mode: u32, owner: (u32, u32)) {
        self.0
            .extend(header(FOLDER, &format!("{path}/"), mode, owner, 0));
    }

    /// The archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.extend([0; 2 * BLOCK]);
        self.0
    }
}

fn header(kind: &str, path: &str, mode: u32, owner: (u32, u32), size: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    assert!(path.len() <= 100, "{path} is too long for an archive");
    assert!(size < 1 << 33, "{path} is too large for an archive");
    put(0, path);
    put(100, &format!("{mode:07o}"));
    put(108, &format!("{:07o}", owner.0));
    put(116, &format!("{:07o}", owner.1));
    put(124, &format!("{size:011o}"));
    // The time.
    put(136, "00000000000");
    // The checksum counts as spaces while it is formed.
    put(148, "        ");
    put(156, kind);
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        os::unix::fs::PermissionsExt,
        process::{Command, Stdio},
    };

    use rustix::process::{getgid, getuid};

    use super::*;

    #[test]
    fn tar_reads_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut tar = Tar::default();
        tar.folder("home", 0o700, (getuid().as_raw(), getgid().as_raw()));
        tar.file("program", 0o555, b"#!/bin/sh\necho it runs\n");
        tar.file("blobs/sha256/abc", 0o444, &[7; 513]);
        let mut unpack = Command::new("tar")
            .args(["--extract", "--directory"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        unpack
            .stdin
            .take()
            .unwrap()
            .write_all(&tar.finish())
            .unwrap();
        assert!(unpack.wait().unwrap().success());
        let told = Command::new(folder.path().join("program"))
            .output()
            .unwrap();
        assert_eq!(told.stdout, b"it runs\n");
        let home = std::fs::metadata(folder.path().join("home")).unwrap();
        assert_eq!(home.permissions().mode() & 0o7777, 0o700);
        let blob = std::fs::read(folder.path().join("blobs/sha256/abc")).unwrap();
        assert_eq!(blob, [7; 513]);
    }

    #[test]
    fn an_archive_is_whole_blocks_and_the_same_each_time() {
        let archive = || {
            let mut tar = Tar::default();
            tar.file("a", 0o644, b"x");
            tar.finish()
        };
        assert_eq!(archive().len(), 4 * BLOCK);
        assert_eq!(archive(), archive());
    }
}
