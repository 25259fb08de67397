//! Histories that were exported hold the payloads as Temporal has them. For reading and replaying,
//! they can be made plain again.

use serde_json::{Map, Value as Json};
use stigmer_cipher::Keys;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{
    DecodeError,
    codec::{decrypt, is_encrypted},
};

/// A history cannot be made plain.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The text is not JSON.
    #[error("the history is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A payload in it cannot be decrypted.
    #[error("the history cannot be read: {0}")]
    Payload(#[from] DecodeError),
}

/// The history in `json`, as [`crate::history_json`] gives it, with all payloads plain and the
/// messages of failures where they were before. One that has nothing encrypted stays as it is.
///
/// # Errors
///
/// When it is not JSON, or a payload in it cannot be decrypted with `keys`.
pub fn decode_history(json: &str, keys: &Keys) -> Result<String, HistoryError> {
    let mut history = serde_json::from_str(json)?;
    decode(&mut history, keys)?;
    Ok(history.to_string())
}

/// Payloads and failures are recognised by their form, wherever they are.
fn decode(json: &mut Json, keys: &Keys) -> Result<(), HistoryError> {
    match json {
        Json::Array(items) => items.iter_mut().try_for_each(|item| decode(item, keys)),
        Json::Object(fields) => {
            if let Some(payload) = encrypted(fields) {
                *json = serde_json::to_value(decrypt(payload, Some(keys))?)?;
                return Ok(());
            }
            fields
                .values_mut()
                .try_for_each(|value| decode(value, keys))?;
            if let Some(message) = message_of_failure(fields) {
                fields.insert("message".to_owned(), Json::String(message));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn encrypted(fields: &Map<String, Json>) -> Option<Payload> {
    if !fields.contains_key("metadata") || !fields.contains_key("data") {
        return None;
    }
    let payload = serde_json::from_value::<Payload>(Json::Object(fields.clone())).ok()?;
    is_encrypted(&payload).then_some(payload)
}

/// The message that the failure in `fields` keeps in its attributes, which are plain by now.
fn message_of_failure(fields: &Map<String, Json>) -> Option<String> {
    let attributes = fields.get("encoded_attributes")?;
    let payload = serde_json::from_value::<Payload>(attributes.clone()).ok()?;
    let attributes = serde_json::from_slice::<Json>(&payload.data).ok()?;
    attributes.get("message")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
