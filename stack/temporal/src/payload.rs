//! Payload encoding: protobuf messages travel as canonical JSON, everything else as plain JSON.

use std::collections::HashMap;

use prost_reflect::ReflectMessage;
use stigmer_api::json;
use temporalio_common::{
    data_converters::{
        GenericPayloadConverter, PayloadConversionError, PayloadConverter, RawValue,
        SerializationContext, SerializationContextData, TemporalDeserializable,
        TemporalSerializable,
    },
    protos::temporal::api::common::v1::Payload,
};

const ENCODING: &str = "encoding";
const MESSAGE_TYPE: &str = "messageType";
const JSON_PROTOBUF: &[u8] = b"json/protobuf";
const BINARY_PROTOBUF: &[u8] = b"binary/protobuf";
const JSON_PLAIN: &[u8] = b"json/plain";

/// A protobuf message as an argument or result. It is written as `json/protobuf` with the full
/// message name in `messageType`, as Temporal's Go SDK does by default; `binary/protobuf` and
/// `json/plain` are read as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proto<M>(pub M);

impl<M: ReflectMessage> TemporalSerializable for Proto<M> {
    fn to_payload(&self, _: &SerializationContext<'_>) -> Result<Payload, PayloadConversionError> {
        let name = self.0.descriptor().full_name().to_owned();
        Ok(Payload {
            metadata: HashMap::from([
                (ENCODING.to_owned(), JSON_PROTOBUF.to_vec()),
                (MESSAGE_TYPE.to_owned(), name.into_bytes()),
            ]),
            data: serde_json::to_vec(&json::to_json(&self.0)).map_err(encoding_error)?,
            external_payloads: Vec::new(),
        })
    }
}

impl<M: ReflectMessage + Default> TemporalDeserializable for Proto<M> {
    fn from_payload(
        _: &SerializationContext<'_>,
        payload: Payload,
    ) -> Result<Self, PayloadConversionError> {
        let encoding = payload
            .metadata
            .get(ENCODING)
            .map_or(&[][..], Vec::as_slice);
        match encoding {
            JSON_PROTOBUF | JSON_PLAIN => {
                let value = serde_json::from_slice(&payload.data).map_err(encoding_error)?;
                json::from_json(&value).map(Self).map_err(encoding_error)
            }
            BINARY_PROTOBUF => M::decode(payload.data.as_slice())
                .map(Self)
                .map_err(encoding_error),
            other => Err(encoding_error(UnknownEncoding {
                message: M::default().descriptor().full_name().to_owned(),
                encoding: String::from_utf8_lossy(other).into_owned(),
            })),
        }
    }
}

/// The payload is in an encoding that no message is read from.
#[derive(Debug, thiserror::Error)]
#[error(
    "a {message} is expected as json/protobuf, binary/protobuf or json/plain, not {encoding:?}"
)]
struct UnknownEncoding {
    message: String,
    encoding: String,
}

fn encoding_error(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> PayloadConversionError {
    PayloadConversionError::EncodingError(error.into())
}

/// The arguments of a workflow or activity that is called by name.
#[derive(Clone, Debug, Default)]
pub struct Arguments(Vec<Payload>);

impl Arguments {
    /// No arguments.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same arguments and `value` after them.
    ///
    /// # Errors
    ///
    /// When `value` has no JSON form, such as a map whose keys are not texts.
    pub fn with<T: TemporalSerializable + 'static>(
        mut self,
        value: &T,
    ) -> Result<Self, PayloadConversionError> {
        let converter = PayloadConverter::default();
        let context = SerializationContext::new(&SerializationContextData::None, &converter);
        self.0.push(converter.to_payload(&context, value)?);
        Ok(self)
    }
}

impl From<Arguments> for RawValue {
    fn from(arguments: Arguments) -> Self {
        Self::new(arguments.0)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use stigmer_api::agent_execution::{AgentExecutionStatus, ExecutionPhase};
    use temporalio_common::data_converters::MultiArgs2;

    use super::*;

    const NAME: &str = "ai.stigmer.agentic.agentexecution.v1.AgentExecutionStatus";

    fn status() -> AgentExecutionStatus {
        AgentExecutionStatus {
            phase: ExecutionPhase::ExecutionInProgress as i32,
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            ..Default::default()
        }
    }

    fn payload(encoding: &[u8], data: &[u8]) -> Payload {
        Payload {
            metadata: HashMap::from([(ENCODING.to_owned(), encoding.to_vec())]),
            data: data.to_vec(),
            external_payloads: Vec::new(),
        }
    }

    fn decode<T: TemporalDeserializable + 'static>(
        payloads: Vec<Payload>,
    ) -> Result<T, PayloadConversionError> {
        let converter = PayloadConverter::default();
        let context = SerializationContext::new(&SerializationContextData::None, &converter);
        converter.from_payloads(&context, payloads)
    }

    #[test]
    fn a_message_is_json_protobuf_with_its_full_name() {
        let arguments = Arguments::none().with(&Proto(status())).unwrap();
        let [payload] = &arguments.0[..] else {
            panic!("one payload, got {arguments:?}")
        };
        assert_eq!(payload.metadata["encoding"], b"json/protobuf");
        assert_eq!(payload.metadata["messageType"], NAME.as_bytes());
        assert_eq!(payload.metadata.len(), 2);
        assert_eq!(
            payload.data,
            br#"{"phase":"EXECUTION_IN_PROGRESS","startedAt":"2026-01-01T00:00:00Z"}"#
        );
    }

    #[test]
    fn a_text_is_json_plain() {
        let arguments = Arguments::none().with(&"thread-1".to_owned()).unwrap();
        assert_eq!(arguments.0, [payload(b"json/plain", br#""thread-1""#)]);
    }

    #[test]
    fn every_encoding_of_a_message_is_read() {
        let json = br#"{"phase":"EXECUTION_IN_PROGRESS","started_at":"2026-01-01T00:00:00Z"}"#;
        for payload in [
            payload(b"json/protobuf", json),
            payload(b"json/plain", json),
            payload(b"binary/protobuf", &status().encode_to_vec()),
        ] {
            let Proto(read) = decode::<Proto<AgentExecutionStatus>>(vec![payload]).unwrap();
            assert_eq!(read, status());
        }
    }

    #[test]
    fn two_arguments_are_read_in_order() {
        let arguments = Arguments::none()
            .with(&Proto(status()))
            .unwrap()
            .with(&"thread-1".to_owned())
            .unwrap();
        let MultiArgs2(Proto(read), thread) =
            decode::<MultiArgs2<Proto<AgentExecutionStatus>, String>>(arguments.0).unwrap();
        assert_eq!((read, thread.as_str()), (status(), "thread-1"));
    }

    #[test]
    fn what_is_not_the_message_is_refused_with_its_name() {
        for payload in [
            payload(b"json/protobuf", br#"{"phase":[]}"#),
            payload(b"binary/null", b""),
        ] {
            let error = decode::<Proto<AgentExecutionStatus>>(vec![payload]).unwrap_err();
            assert!(error.to_string().contains(NAME), "{error}");
        }
    }
}
