use futures::FutureExt as _;
use serde_json::json;
use temporalio_common::data_converters::{PayloadCodec as _, SerializationContextData};

use super::*;
use crate::{Encryption, encryption::codec::Codec};

fn keys(folder: &tempfile::TempDir, name: &str) -> Keys {
    Keys::load_or_create(&folder.path().join(name)).expect("a key file")
}

fn plain(data: &Json) -> Payload {
    Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: data.to_string().into_bytes(),
        ..Default::default()
    }
}

fn sealed(payload: Payload, keys: &Keys) -> Json {
    let sealed = Codec::new(Encryption::with(keys.clone()))
        .encode(&SerializationContextData::None, vec![payload])
        .now_or_never()
        .expect("encrypting does not wait")
        .expect("a payload");
    serde_json::to_value(&sealed[0]).expect("a payload is JSON")
}

fn history(input: Json, attributes: Json) -> String {
    json!({"events": [
        {"event_id": 1, "attributes": {"Started": {"input": {"payloads": [input]}}}},
        {"event_id": 2, "attributes": {"Failed": {"failure": {
            "message": "Encoded failure", "encoded_attributes": attributes, "cause": null,
        }}}},
    ]})
    .to_string()
}

#[test]
fn payloads_and_messages_are_plain_again() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(&folder, "key");
    let input = plain(&json!({"a": 1}));
    let attributes = plain(&json!({"message": "no such host", "stack_trace": ""}));
    let encrypted = history(
        sealed(input.clone(), &keys),
        sealed(attributes.clone(), &keys),
    );
    let decoded = decode_history(&encrypted, &keys).unwrap();
    let expected = history(
        serde_json::to_value(input).unwrap(),
        serde_json::to_value(attributes).unwrap(),
    )
    .replace("Encoded failure", "no such host");
    assert_eq!(
        serde_json::from_str::<Json>(&decoded).unwrap(),
        serde_json::from_str::<Json>(&expected).unwrap()
    );
}

#[test]
fn a_plain_history_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plain = history(serde_json::to_value(plain(&json!(1))).unwrap(), Json::Null);
    assert_eq!(
        decode_history(&plain, &keys(&folder, "key")).unwrap(),
        plain
    );
}

#[test]
fn a_history_of_other_keys_and_a_text_that_is_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (keys(&folder, "here"), keys(&folder, "there"));
    let encrypted = history(sealed(plain(&json!(1)), &there), Json::Null);
    let error = decode_history(&encrypted, &here).unwrap_err().to_string();
    assert!(error.contains("the history cannot be read"), "{error}");
    assert!(decode_history("{", &here).is_err());
}
