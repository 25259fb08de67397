use std::path::Path;

use futures::FutureExt as _;
use temporalio_common::protos::temporal::api::failure::v1::Failure;
use temporalio_common::{
    data_converters::DataConverter,
    error::{ApplicationFailure, IncomingError, OutgoingActivityError, OutgoingError},
};

use super::*;

const NONE: SerializationContextData = SerializationContextData::None;

fn keys(folder: &Path, name: &str) -> Keys {
    Keys::load_or_create(&folder.join(name)).expect("a key file")
}

fn plain(text: &str) -> Payload {
    Payload {
        metadata: HashMap::from([(ENCODING.to_owned(), b"json/plain".to_vec())]),
        data: text.as_bytes().to_vec(),
        ..Default::default()
    }
}

fn encode(encryption: Encryption, payload: &Payload) -> Payload {
    let encoded = Codec::new(encryption)
        .encode(&NONE, vec![payload.clone()])
        .now_or_never()
        .expect("encrypting does not wait");
    encoded.expect("a payload").remove(0)
}

fn decode(encryption: Encryption, payload: &Payload) -> Result<Payload, String> {
    let decoded = Codec::new(encryption)
        .decode(&NONE, vec![payload.clone()])
        .now_or_never()
        .expect("decrypting does not wait");
    decoded
        .map(|mut decoded| decoded.remove(0))
        .map_err(|error| error.to_string())
}

fn shows(payload: &Payload, text: &str) -> bool {
    String::from_utf8_lossy(&payload.encode_to_vec()).contains(text)
}

#[test]
fn what_is_sealed_is_hidden_and_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(folder.path(), "key");
    let payload = plain("\"tok-12345678\"");
    let sealed = encode(Encryption::with(keys.clone()), &payload);
    assert!(!shows(&sealed, "tok-12345678") && !shows(&sealed, "json/plain"));
    assert_eq!(sealed.metadata[ENCODING], b"binary/encrypted");
    assert_eq!(sealed.metadata[KEY_ID], keys.ids().as_bytes());
    assert_eq!(decode(Encryption::with(keys), &sealed), Ok(payload));
}

#[test]
fn plain_payloads_are_understood_and_off_sends_them() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(folder.path(), "key");
    let payload = plain("1");
    let sealed = encode(Encryption::with(keys.clone()), &payload);
    for encryption in [
        Encryption::with(keys.clone()),
        Encryption::reading(keys.clone()),
        Encryption::none(),
    ] {
        assert_eq!(decode(encryption, &payload).as_ref(), Ok(&payload));
    }
    for encryption in [Encryption::reading(keys.clone()), Encryption::none()] {
        assert_eq!(encode(encryption, &payload), payload);
    }
    // What was encrypted before it was turned off can still be read.
    assert_eq!(decode(Encryption::reading(keys), &sealed), Ok(payload));
}

#[test]
fn a_payload_of_another_key_is_an_error_naming_the_file_and_both_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (keys(folder.path(), "here"), keys(folder.path(), "there"));
    let sealed = encode(Encryption::with(there.clone()), &plain("1"));
    let error = decode(Encryption::with(here.clone()), &sealed).unwrap_err();
    for part in [here.ids(), there.ids(), here.file().display().to_string()] {
        assert!(error.contains(&part), "{part:?} is missing in {error:?}");
    }
    let error = decode(Encryption::none(), &sealed).unwrap_err();
    assert!(
        error.contains(&there.ids()) && error.contains("no keys"),
        "{error}"
    );
}

fn failure(converter: &DataConverter) -> Failure {
    let error = ApplicationFailure::builder("refused for tok-12345678").build();
    let error = OutgoingError::Activity(OutgoingActivityError::Application(error.into()));
    converter.to_failure(&NONE, error)
}

#[test]
fn messages_of_failures_are_where_the_codec_sees_them() {
    let folder = tempfile::tempdir().unwrap();
    let encryption = Encryption::with(keys(folder.path(), "key"));
    let converter = encryption.data_converter();
    let failure = failure(&converter);
    assert!(!failure.message.contains("tok-12345678"), "{failure:?}");
    let attributes = failure.encoded_attributes.clone().expect("the message");
    assert!(!shows(&encode(encryption, &attributes), "tok-12345678"));
    let read =
        converter
            .failure_converter()
            .to_error(failure, converter.payload_converter(), &NONE);
    let IncomingError::Application(read) = read.unwrap() else {
        panic!("an application failure")
    };
    assert_eq!(
        read.failure().map(|failure| failure.message.as_str()),
        Some("refused for tok-12345678")
    );
}

#[test]
fn without_encryption_messages_stay_where_everybody_reads_them() {
    let failure = failure(&Encryption::none().data_converter());
    assert_eq!(failure.message, "refused for tok-12345678");
}
