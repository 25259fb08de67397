//! Encrypting and decrypting payloads.
//!
//! An encrypted payload has the encoding `binary/encrypted`, names its key, and holds the whole
//! payload it was made from, sealed. The names are those of the samples of Temporal's SDKs.

use std::collections::HashMap;

use futures::future::{self, BoxFuture, FutureExt as _};
use prost::Message as _;
use stigmer_cipher::{Keys, OpenError, SealError};
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::Payload,
};

use super::Encryption;

const ENCODING: &str = "encoding";
const ENCRYPTED: &[u8] = b"binary/encrypted";
const KEY_ID: &str = "encryption-key-id";

/// A payload cannot be decrypted.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There is no key at all.
    #[error(
        "a payload cannot be read: it is encrypted with key {id}, and this process has no keys; give it the key file of the process that sent it (STIGMER_PAYLOAD_KEY_FILE)"
    )]
    NoKeys {
        /// The id of the key.
        id: String,
    },
    /// The keys do not open it.
    #[error("a payload cannot be read: {0}")]
    Sealed(#[from] OpenError),
    /// What was sealed is no payload.
    #[error("a payload cannot be read: what is encrypted in it is not a payload: {0}")]
    NoPayload(#[from] prost::DecodeError),
}

/// The codec of one part of the stack.
pub(super) struct Codec(Encryption);

impl Codec {
    pub(super) fn new(encryption: Encryption) -> Self {
        Self(encryption)
    }
}

impl PayloadCodec for Codec {
    fn encode(
        &self,
        _: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let encoded = match &self.0.keys {
            Some(keys) if self.0.encrypts => all(payloads, |payload| encrypt(&payload, keys)),
            _ => Ok(payloads),
        };
        future::ready(encoded).boxed()
    }

    fn decode(
        &self,
        _: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let keys = self.0.keys.as_ref();
        future::ready(all(payloads, |payload| decrypt(payload, keys))).boxed()
    }
}

fn all<E: std::error::Error + Send + Sync + 'static>(
    payloads: Vec<Payload>,
    change: impl Fn(Payload) -> Result<Payload, E>,
) -> Result<Vec<Payload>, PayloadConversionError> {
    let changed = payloads.into_iter().map(change).collect::<Result<_, _>>();
    changed.map_err(|error| PayloadConversionError::EncodingError(error.into()))
}

/// `payload` sealed with the current key.
fn encrypt(payload: &Payload, keys: &Keys) -> Result<Payload, SealError> {
    let sealed = keys.seal(&payload.encode_to_vec())?;
    Ok(Payload {
        metadata: HashMap::from([
            (ENCODING.to_owned(), ENCRYPTED.to_vec()),
            (KEY_ID.to_owned(), sealed.key_id.into_bytes()),
        ]),
        data: sealed.data,
        ..Default::default()
    })
}

/// What was sealed in `payload`; one that is not encrypted is left as it is.
pub(super) fn decrypt(payload: Payload, keys: Option<&Keys>) -> Result<Payload, DecodeError> {
    if !is_encrypted(&payload) {
        return Ok(payload);
    }
    let id = payload.metadata.get(KEY_ID).map_or(&[][..], Vec::as_slice);
    let id = String::from_utf8_lossy(id);
    match keys {
        None => Err(DecodeError::NoKeys {
            id: id.into_owned(),
        }),
        Some(keys) => Ok(Payload::decode(keys.open(&id, &payload.data)?.as_slice())?),
    }
}

pub(super) fn is_encrypted(payload: &Payload) -> bool {
    payload
        .metadata
        .get(ENCODING)
        .is_some_and(|encoding| encoding == ENCRYPTED)
}

#[cfg(test)]
mod tests;
