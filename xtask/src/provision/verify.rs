//! Proof that a file is what the pin says: its hash, and that it works.

use std::{fmt, fs, io, io::Read, time::UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stigmer_e2e_plan::{ExitCode, read_json, write_json};

use crate::{
    ask::{self, ask},
    host::Python,
    pins::{Check, Pin, Sha256Hex},
};

/// SHA-256 of a file.
pub fn sha256_of(path: &Utf8Path) -> io::Result<Sha256Hex> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256Hex::from(<[u8; 32]>::from(hasher.finalize()))),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Size, time of change, and hash of a file: enough to know again later that it is the same,
/// without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The file's own path, or its path inside a package.
    pub path: Utf8PathBuf,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256Hex,
}

/// Size and time of change of a file, as fingerprints record them.
pub fn size_and_time(file: &Utf8Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(file)?;
    let since_epoch = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .map_err(io::Error::other)?;
    // 2^64 nanoseconds reach to the year 2554.
    Ok((metadata.len(), since_epoch.as_nanos() as u64))
}

/// SHA-256 of a file outside the cache, read once and then known by size and time of change.
pub fn remembered_sha256(cache: &Utf8Path, file: &Utf8Path) -> io::Result<Sha256Hex> {
    let (size, modified_ns) = size_and_time(file)?;
    let key = Sha256Hex::from(<[u8; 32]>::from(Sha256::digest(file.as_str())));
    let memory = cache.join("known").join(format!("{key}.json"));
    if let Ok(known) = read_json::<Fingerprint>(&memory)
        && (&known.path, known.size, known.modified_ns) == (&file.to_owned(), size, modified_ns)
    {
        return Ok(known.sha256);
    }
    let sha256 = sha256_of(file)?;
    let known = Fingerprint {
        path: file.to_owned(),
        size,
        modified_ns,
        sha256: sha256.clone(),
    };
    // A cache that cannot be written costs time at the next run, and nothing else.
    let _ = write_json(&memory, &known);
    Ok(sha256)
}

/// Why something is not what its pin says. Reads after the name of a file.
#[derive(Debug)]
pub enum NotProven {
    /// It gave no answer.
    NoAnswer(ask::NoAnswer),
    /// Its answer names another version.
    OtherVersion { printed: String, wanted: String },
    /// It does not begin as such a file does.
    OtherContent { wanted: String },
    /// It cannot be read.
    Unreadable(io::Error),
    /// There is no Python to ask.
    NoPython(String),
}

impl fmt::Display for NotProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(why) => why.fmt(f),
            Self::OtherVersion { printed, wanted } => {
                write!(f, "prints `{printed}`, not `{wanted}`")
            }
            Self::OtherContent { wanted } => write!(f, "does not begin with `{wanted}`"),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::NoPython(why) => write!(f, "cannot be tried without Python ({why})"),
        }
    }
}

impl NotProven {
    /// What a verb ends with that cannot do without.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::NoAnswer(_) | Self::Unreadable(_) => ExitCode::ToolBroken,
            Self::OtherVersion { .. } | Self::OtherContent { .. } => ExitCode::ProvisionFailed,
            Self::NoPython(_) => ExitCode::PythonMissing,
        }
    }
}

/// Proves that the `file` of a pin works, and returns its version.
pub fn prove(
    pin: &Pin<'_>,
    file: &Utf8Path,
    folder: &Utf8Path,
    python: Result<&Python, &str>,
) -> Result<String, NotProven> {
    match &pin.artefact.check {
        Check::Program { arguments, prints } => {
            let printed = ask(file.as_str(), arguments).map_err(NotProven::NoAnswer)?;
            let first_line = printed.lines().next().unwrap_or("").to_owned();
            if first_line.contains(prints) {
                return Ok(pin.artefact.version.clone());
            }
            match (ask::version_in(&first_line), &pin.artefact.on_path) {
                (Some(version), Some(wanted)) if super::fits(version, wanted.at_least) => {
                    Ok(version.to_string())
                }
                _ => Err(NotProven::OtherVersion {
                    printed: first_line,
                    wanted: prints.clone(),
                }),
            }
        }
        Check::PythonModule { module, prints } => {
            let python = python.map_err(|why| NotProven::NoPython(why.to_owned()))?;
            // Isolated, without the site's packages, and leaving no bytecode: what is tried is this folder alone.
            let code = format!(
                "import sys; sys.path.insert(0, sys.argv[1]); import {module} as m; print(m.__version__)"
            );
            let arguments = ["-I", "-S", "-B", "-c", &code, folder.as_str()];
            let printed = ask(python.path.as_str(), arguments).map_err(NotProven::NoAnswer)?;
            if printed == *prints {
                Ok(pin.artefact.version.clone())
            } else {
                let printed = ask::last_line(&printed).to_owned();
                Err(NotProven::OtherVersion {
                    printed,
                    wanted: prints.clone(),
                })
            }
        }
        Check::PythonArchive {
            entry,
            arguments,
            prints,
        } => {
            let python = python.map_err(|why| NotProven::NoPython(why.to_owned()))?;
            let program = file.join(entry);
            let question = [program.as_str()]
                .into_iter()
                .chain(arguments.iter().map(String::as_str));
            let printed = ask(python.path.as_str(), question).map_err(NotProven::NoAnswer)?;
            if printed.contains(prints) {
                Ok(pin.artefact.version.clone())
            } else {
                Err(NotProven::OtherVersion {
                    printed,
                    wanted: prints.clone(),
                })
            }
        }
        Check::File { begins_with } => {
            let mut start = vec![0; begins_with.len()];
            let read = fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
            match read {
                Ok(()) if start == begins_with.as_bytes() => Ok(pin.artefact.version.clone()),
                Ok(()) => Err(NotProven::OtherContent {
                    wanted: begins_with.clone(),
                }),
                Err(error) => Err(NotProven::Unreadable(error)),
            }
        }
    }
}
