//! Reading a resource whose kind is known at run time only.

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;
use stigmer_api::{ApiResourceId, DESCRIPTORS, MAX_MESSAGE_BYTES, json::to_json};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder},
    transport::Channel,
};
use tonic_prost::ProstCodec;

use super::{Acknowledged, call::path_of};

/// Sends an id and reads whatever message the descriptor describes.
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = ApiResourceId;
    type Decode = DynamicMessage;
    type Encoder = <ProstCodec<ApiResourceId, ApiResourceId> as Codec>::Encoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<ApiResourceId, ApiResourceId>::default().encoder()
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.0.clone())
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

/// What `get` of its kind answers for `resource`, in its JSON form.
pub(in crate::harness) async fn get(
    channel: &Channel,
    resource: &Acknowledged,
) -> Result<Value, Status> {
    let Acknowledged { message, id } = resource;
    let descriptor = DESCRIPTORS
        .get_message_by_name(message)
        .ok_or_else(|| Status::unimplemented(format!("{message} is no message of the API")))?;
    let method = format!("/{message}QueryController/get");
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = Request::new(ApiResourceId { value: id.clone() });
    let answer = client.unary(request, path_of(&method), DynamicCodec(descriptor));
    Ok(to_json(&answer.await?.into_inner()))
}
