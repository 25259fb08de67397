//! Sealing and opening bytes: AES-256-GCM with a random nonce, which is put in front.

use aes_gcm::{Nonce, aead::Aead as _};

use crate::Keys;

/// Random nonces of this size may be used about 2³² times with one key.
const NONCE_LENGTH: usize = 12;

/// Bytes that nobody reads or changes without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key.
    pub key_id: String,
    /// The nonce, then what was sealed, then the tag.
    pub data: Vec<u8>,
}

/// Something cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system gives no nonce.
    #[error("failed to encrypt: the system gives no random numbers: {0}")]
    NoRandomNumbers(getrandom::Error),
    /// AES-GCM takes 64 GiB.
    #[error("failed to encrypt: it is too long")]
    TooLong,
}

/// Something cannot be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There are other keys.
    #[error(
        "it is encrypted with key {id}, but the payload key file {file} has {known}; all parts of one stack need the same file (STIGMER_PAYLOAD_KEY_FILE)"
    )]
    OtherKey {
        /// The id of the key.
        id: String,
        /// The file of the keys that are there.
        file: String,
        /// Their ids.
        known: String,
    },
    /// It is not what the key sealed.
    #[error("it names key {id}, which does not open it; it was changed or cut off on its way")]
    Damaged {
        /// The id of the key.
        id: String,
    },
}

impl Keys {
    /// `plain` sealed with the current key.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers, or `plain` is gigabytes long.
    pub fn seal(&self, plain: &[u8]) -> Result<Sealed, SealError> {
        let key = self.current();
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(SealError::NoRandomNumbers)?;
        let sealed = key
            .cipher
            .encrypt(&Nonce::from(nonce), plain)
            .map_err(|_| SealError::TooLong)?;
        Ok(Sealed {
            key_id: key.id.clone(),
            data: [&nonce[..], &sealed].concat(),
        })
    }

    /// What was sealed in `data` with the key of `key_id`, which may be any of the file.
    ///
    /// # Errors
    ///
    /// When the key is not here, or `data` is not what it sealed.
    pub fn open(&self, key_id: &str, data: &[u8]) -> Result<Vec<u8>, OpenError> {
        let id = || key_id.to_owned();
        let key = self.find(key_id).ok_or_else(|| OpenError::OtherKey {
            id: id(),
            file: self.file().display().to_string(),
            known: self.ids(),
        })?;
        let damaged = || OpenError::Damaged { id: id() };
        let (nonce, sealed) = data
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or_else(damaged)?;
        key.cipher
            .decrypt(&Nonce::from(*nonce), sealed)
            .map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests;
