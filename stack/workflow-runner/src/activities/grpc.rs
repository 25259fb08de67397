//! gRPC calls of tasks: unary, over plaintext, described by the server's own reflection.

use std::time::Duration;

use prost_reflect::{
    DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions, prost::Message as _,
    prost_types::FileDescriptorProto,
};
use serde_json::Value as Json;
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::failure::{CallError, chain};
use crate::{engine::model::GrpcCall, temporal::MAX_PAYLOAD};

/// The type of every error here; the contract has none of them tried again.
const KIND: &str = "CallGRPC error";

/// Files that one service may be described by. More are not a description.
const MAX_FILES: usize = 200;

/// Calls the method and gives its answer in protobuf JSON.
pub(super) async fn call(call: &GrpcCall, limit: Duration) -> Result<Json, CallError> {
    let address = address(call)?;
    let what = format!("{}/{} at {address}", call.service.name, call.method);
    match tokio::time::timeout(limit, exchange(call, &address)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(message)) => Err(CallError::fatal(
            KIND,
            format!("CallGRPC failed: {message} ({what})"),
        )),
        Err(_) => Err(CallError::fatal(
            KIND,
            format!(
                "CallGRPC timed out: no answer within {:.1} s ({what})",
                limit.as_secs_f64()
            ),
        )),
    }
}

fn address(call: &GrpcCall) -> Result<String, CallError> {
    let port = match &call.service.port {
        Json::Number(port) => port.as_u64().and_then(|port| u16::try_from(port).ok()),
        Json::String(port) => port.trim().parse::<u16>().ok(),
        _ => None,
    };
    let port = port.filter(|port| *port != 0);
    let port = port.ok_or_else(|| {
        CallError::fatal(
            KIND,
            format!("CallGRPC failed: {} is not a port", call.service.port),
        )
    })?;
    Ok(format!("{}:{port}", call.service.host))
}

async fn exchange(call: &GrpcCall, address: &str) -> Result<Json, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|e| chain(&e))?;
    let channel = endpoint.connect().await.map_err(|e| chain(&e))?;
    let method = method(channel.clone(), &call.service.name, &call.method).await?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(format!(
            "{} streams; only unary methods can be called",
            method.full_name()
        ));
    }
    let arguments = call
        .arguments
        .clone()
        .unwrap_or_else(|| Json::Object(Default::default()));
    let input = method.input();
    let request = DynamicMessage::deserialize(input.clone(), &arguments)
        .map_err(|e| format!("the arguments are not a {}: {e}", input.full_name()))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).map_err(|e| e.to_string())?;
    let mut client = Grpc::new(channel).max_decoding_message_size(MAX_PAYLOAD);
    client.ready().await.map_err(|e| chain(&e))?;
    let answer = client
        .unary(
            tonic::Request::new(request),
            path,
            DynamicCodec { output: method },
        )
        .await
        .map_err(|status| text(&status))?;
    // Fields without a value are part of the answer, so that a condition can ask for them.
    let options = SerializeOptions::new().skip_default_fields(false);
    let json = answer
        .into_inner()
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|e| e.to_string())?;
    match json.to_string().len() {
        fits if fits <= MAX_PAYLOAD => Ok(json),
        size => Err(format!(
            "the answer is {size} bytes of JSON, more than the {MAX_PAYLOAD} that fit one Temporal payload"
        )),
    }
}

fn text(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

/// The method as the server describes it.
async fn method(channel: Channel, service: &str, method: &str) -> Result<MethodDescriptor, String> {
    let mut reflection = Reflection {
        client: ServerReflectionClient::new(channel),
        files: Vec::new(),
    };
    reflection
        .fetch(MessageRequest::FileContainingSymbol(service.to_owned()))
        .await
        .map_err(|status| match status.code() {
            Code::Unimplemented => "the server offers no reflection".to_owned(),
            Code::NotFound => format!("the server has no service {service}"),
            _ => format!("reflection: {}", text(&status)),
        })?;
    let pool = reflection.pool().await?;
    let service = pool
        .get_service_by_name(service)
        .ok_or_else(|| format!("the server has no service {service}"))?;
    let found = service.methods().find(|found| found.name() == method);
    found.ok_or_else(|| {
        let names = service
            .methods()
            .map(|method| method.name().to_owned())
            .collect::<Vec<_>>();
        format!(
            "{} has no method {method}, only {}",
            service.full_name(),
            names.join(", ")
        )
    })
}

struct Reflection {
    client: ServerReflectionClient<Channel>,
    files: Vec<FileDescriptorProto>,
}

impl Reflection {
    async fn fetch(&mut self, wanted: MessageRequest) -> Result<(), Status> {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(wanted),
        };
        let mut answers = self
            .client
            .server_reflection_info(tokio_stream::once(request))
            .await?
            .into_inner();
        match answers
            .message()
            .await?
            .and_then(|answer| answer.message_response)
        {
            Some(MessageResponse::FileDescriptorResponse(response)) => {
                for bytes in response.file_descriptor_proto {
                    let file = FileDescriptorProto::decode(bytes.as_slice())
                        .map_err(|e| Status::internal(e.to_string()))?;
                    if !self.has(file.name()) {
                        self.files.push(file);
                    }
                }
                Ok(())
            }
            Some(MessageResponse::ErrorResponse(error)) => Err(Status::new(
                Code::from(error.error_code),
                error.error_message,
            )),
            _ => Err(Status::internal("reflection gave no description")),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name() == name)
    }

    /// The files and everything they import.
    async fn pool(mut self) -> Result<DescriptorPool, String> {
        let mut at = 0;
        while at < self.files.len() {
            for import in self.files[at].dependency.clone() {
                if !self.has(&import) {
                    self.fetch(MessageRequest::FileByFilename(import.clone()))
                        .await
                        .map_err(|status| format!("reflection of {import}: {}", text(&status)))?;
                }
            }
            at += 1;
            if self.files.len() > MAX_FILES {
                return Err(format!("reflection gave more than {MAX_FILES} files"));
            }
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(self.files)
            .map_err(|e| format!("reflection gave a wrong description: {e}"))?;
        Ok(pool)
    }
}

/// Messages that are known by description only.
struct DynamicCodec {
    output: MethodDescriptor,
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.output.clone())
    }
}

struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|e| Status::internal(e.to_string()))
    }
}

struct DynamicDecoder(MethodDescriptor);

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        DynamicMessage::decode(self.0.output(), buffer)
            .map(Some)
            .map_err(|e| Status::internal(e.to_string()))
    }
}

#[cfg(test)]
mod tests;
