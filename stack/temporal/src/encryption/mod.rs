//! Payloads in Temporal are encrypted: inputs, results, heartbeats, signals, queries, memos, and the
//! messages and details of failures. Temporal stores and shows them, so nothing of an execution,
//! secrets least of all, may lie there in the clear.
//!
//! `codec` turns payloads into encrypted ones and back, `history` does the latter to a history that
//! was exported.

mod codec;
mod history;

use std::path::PathBuf;

use stigmer_cipher::{KeyError, Keys};
use stigmer_process::{SettingError, text, text_or};
use temporalio_common::data_converters::{
    DataConverter, DefaultFailureConverter, PayloadConverter,
};

use self::codec::Codec;
pub use self::{
    codec::DecodeError,
    history::{HistoryError, decode_history},
};

const MODE: &str = "STIGMER_PAYLOAD_ENCRYPTION";
const KEY_FILE: &str = "STIGMER_PAYLOAD_KEY_FILE";

/// How one part of the stack treats payloads. Plain ones are understood in every case.
#[derive(Clone, Debug)]
pub struct Encryption {
    encrypts: bool,
    keys: Option<Keys>,
}

/// The settings of the encryption cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    /// The variable that turns it on and off holds something else.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There is no usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Encryption {
    /// Sends plain payloads and cannot read encrypted ones.
    pub fn none() -> Self {
        Self {
            encrypts: false,
            keys: None,
        }
    }

    /// Encrypts what it sends with the first of `keys` and reads what any of them encrypted.
    pub fn with(keys: Keys) -> Self {
        Self {
            encrypts: true,
            keys: Some(keys),
        }
    }

    /// Sends plain payloads, and reads what any of `keys` encrypted.
    pub fn reading(keys: Keys) -> Self {
        Self {
            encrypts: false,
            keys: Some(keys),
        }
    }

    /// What the environment says: encryption unless `STIGMER_PAYLOAD_ENCRYPTION` is `off`, with the
    /// keys in `STIGMER_PAYLOAD_KEY_FILE` (default `$HOME/.stigmer/payload.key`), which is made when
    /// it is missing. When off, the file is used for reading if it is there.
    ///
    /// # Errors
    ///
    /// When the mode is neither `on` nor `off`, or the file cannot be used.
    pub fn from_env() -> Result<Self, EncryptionError> {
        let file = text(KEY_FILE).map_or_else(default_key_file, PathBuf::from);
        match text_or(MODE, "on").as_str() {
            "on" => Ok(Self::with(Keys::load_or_create(&file)?)),
            "off" => match file.try_exists() {
                Ok(false) => Ok(Self::none()),
                _ => Ok(Self::reading(Keys::load(&file)?)),
            },
            other => Err(SettingError {
                variable: MODE,
                value: other.to_owned(),
                expected: "`on` or `off`",
            }
            .into()),
        }
    }

    /// The keys, if there are any.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// Whether what leaves this part is encrypted.
    pub fn encrypts(&self) -> bool {
        self.encrypts
    }

    /// The data converter of clients and workers.
    pub(crate) fn data_converter(&self) -> DataConverter {
        DataConverter::new(
            PayloadConverter::default(),
            // Messages of failures are moved to where the codec sees them.
            DefaultFailureConverter::new(self.encrypts),
            Codec::new(self.clone()),
        )
    }
}

fn default_key_file() -> PathBuf {
    let home = text("HOME").map_or_else(
        || PathBuf::from("."),
        |home| PathBuf::from(home).join(".stigmer"),
    );
    home.join("payload.key")
}
