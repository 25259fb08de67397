//! The file of keys that the parts of one stack share.
//!
//! Each line is one key in hexadecimal digits; empty lines and those after `#` are left out. The
//! first key encrypts and all of them decrypt, so a key is replaced by writing a new line above it.

use std::{
    fmt::{self, Write as _},
    fs::{self, DirBuilder, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aes_gcm::{Aes256Gcm, KeyInit as _};
use sha2::{Digest as _, Sha256};

/// Bytes of a key: AES-256.
const KEY_LENGTH: usize = 32;

/// Bytes of the hash of a key that make its id. Enough to tell keys apart, and no help in guessing
/// one.
const ID_LENGTH: usize = 8;

/// The keys of one file.
#[derive(Clone)]
pub struct Keys {
    file: Arc<Path>,
    /// At least one.
    keys: Arc<[Key]>,
}

/// One key.
pub(crate) struct Key {
    /// What payloads name it by.
    pub(crate) id: String,
    /// What encrypts and decrypts with it.
    pub(crate) cipher: Aes256Gcm,
}

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error(
        "failed to read the payload key file {file}: {cause}; make it readable for this user or name another with STIGMER_PAYLOAD_KEY_FILE"
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is missing and cannot be made.
    #[error(
        "failed to create the payload key file {file}: {cause}; name one in a folder that can be written with STIGMER_PAYLOAD_KEY_FILE"
    )]
    NotCreated {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A line of it is no key. What it holds is not shown.
    #[error(
        "line {line} of the payload key file {file} is not a key: 64 hexadecimal digits are needed, {found}"
    )]
    NotAKey {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is there instead.
        found: String,
    },
    /// It holds nothing.
    #[error(
        "the payload key file {file} holds no key; put back the one it had, or remove the file to have a new one made"
    )]
    Empty {
        /// The file.
        file: PathBuf,
    },
}

impl Keys {
    /// The keys in `file`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, holds no key, or something else.
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        let unreadable = |cause| KeyError::Unreadable {
            file: file.to_owned(),
            cause,
        };
        let text = fs::read_to_string(file).map_err(unreadable)?;
        if fs::metadata(file).map_err(unreadable)?.mode() & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "other users may read the payload key file; chmod 600 keeps it private");
        }
        Self::parse(file, &text)
    }

    /// The keys in `file`, which is made with a new key when it is missing. Any number of processes
    /// may do this at the same time: one of them makes the file, and all read the same one.
    ///
    /// # Errors
    ///
    /// As [`Keys::load`], and when the file cannot be made.
    pub fn load_or_create(file: &Path) -> Result<Self, KeyError> {
        // One that cannot be looked for cannot be read either, and reading says why.
        if matches!(file.try_exists(), Ok(false)) {
            create(file).map_err(|cause| KeyError::NotCreated {
                file: file.to_owned(),
                cause,
            })?;
        }
        Self::load(file)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, KeyError> {
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, text)| {
                Key::parse(text).map_err(|found| KeyError::NotAKey {
                    file: file.to_owned(),
                    line,
                    found,
                })
            })
            .collect::<Result<Arc<[Key]>, KeyError>>()?;
        if keys.is_empty() {
            return Err(KeyError::Empty {
                file: file.to_owned(),
            });
        }
        Ok(Self {
            file: file.into(),
            keys,
        })
    }

    /// The file they are from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The key that encrypts.
    pub(crate) fn current(&self) -> &Key {
        &self.keys[0]
    }

    /// The key of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The ids of all of them, the current first.
    pub fn ids(&self) -> String {
        let ids = self.keys.iter().map(|key| key.id.as_str());
        ids.collect::<Vec<_>>().join(", ")
    }
}

/// Shows ids, never keys.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}: {})", self.file.display(), self.ids())
    }
}

impl Key {
    /// The key written in `text`; the error says what is there instead, without showing it.
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() != 2 * KEY_LENGTH {
            return Err(format!("it has {} characters", text.chars().count()));
        }
        let mut bytes = [0; KEY_LENGTH];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = std::str::from_utf8(digits)
                .ok()
                .filter(|digits| !digits.starts_with('+'))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or("it has other characters")?;
        }
        Ok(Self::new(&bytes))
    }

    fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"stigmer payload key\n")
            .chain_update(bytes)
            .finalize();
        Self {
            id: hex(&hash[..ID_LENGTH]),
            cipher: Aes256Gcm::new(bytes.into()),
        }
    }
}

/// Makes the file complete elsewhere and links it into its place: there is never half a key to be
/// read, and the second who links sees that somebody was first.
fn create(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut name = [0; ID_LENGTH];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let draft = folder.join(format!(".payload-key-{}", hex(&name)));
    let linked =
        write_new(&draft, &format!("{}\n", hex(&key))).and_then(|()| fs::hard_link(&draft, file));
    // Only written so that it could be linked; a failure to remove it must not hide the other.
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => removed,
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    // What is encrypted with a key that a power cut takes along is lost.
    file.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
