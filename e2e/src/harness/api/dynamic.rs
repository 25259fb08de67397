//! Calls whose messages are known at run time only: any method of the contract, by its descriptor.

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};
use stigmer_api::{DESCRIPTORS, MAX_MESSAGE_BYTES, json::to_json};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use super::{Acknowledged, Answer, Api, CallError, call::path_of};

/// Sends any message, and reads the one that the descriptor describes.
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.0.clone())
    }
}

struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let encoded = item.encode(to);
        encoded.map_err(|error| Status::internal(error.to_string()))
    }
}

struct DynamicDecoder(MessageDescriptor);

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let mut message = DynamicMessage::new(self.0.clone());
        match message.merge(from) {
            Ok(()) => Ok(Some(message)),
            Err(error) => Err(Status::internal(format!(
                "not a {}: {error}",
                self.0.full_name()
            ))),
        }
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// The request of `method` that reads so in JSON.
fn request(method: &MethodDescriptor, json: &Value) -> Result<DynamicMessage, Status> {
    let message = DynamicMessage::deserialize(method.input(), json);
    message.map_err(|error| Status::invalid_argument(format!("{json}: {error}")))
}

impl Api {
    /// Calls `method`, which answers once, with what `asked` is in JSON; the answer in its JSON form.
    pub async fn call(&self, method: &MethodDescriptor, asked: &Value) -> Answer<Value> {
        let path = path(method);
        let message = request(method, asked).map_err(|status| CallError {
            method: path.clone(),
            status,
        })?;
        let codec = DynamicCodec(method.output());
        let answer = self.0.call(path, asked.clone(), message, codec).await?;
        Ok(to_json(&answer))
    }
}

/// What `get` of its kind answers for `resource`, in its JSON form.
pub(in crate::harness) async fn get(
    channel: &Channel,
    resource: &Acknowledged,
) -> Result<Value, Status> {
    let Acknowledged { message, id } = resource;
    let service = DESCRIPTORS.get_service_by_name(&format!("{message}QueryController"));
    let method = service.and_then(|service| service.methods().find(|it| it.name() == "get"));
    let method = method
        .ok_or_else(|| Status::unimplemented(format!("the API has no `get` for {message}")))?;
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let asked = Request::new(request(&method, &json!({"value": id}))?);
    let codec = DynamicCodec(method.output());
    let answer = client.unary(asked, path_of(&path(&method)), codec).await?;
    Ok(to_json(&answer.into_inner()))
}
