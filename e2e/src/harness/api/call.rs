//! One call: its path, its deadline, its line in the journal.

use std::time::{Duration, Instant};

use prost_reflect::ReflectMessage;
use serde_json::{Value, json};
use stigmer_api::{ApiResourceId, MAX_MESSAGE_BYTES, Resource, json::to_json};
use tonic::{
    Request, Status, client::Grpc, codec::Codec, codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_prost::ProstCodec;

use super::{Answer, CallError, Watch, acknowledged::Ledger};
use crate::harness::{Journal, with_causes};

/// Makes calls on one connection.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) channel: Channel,
    pub(super) journal: Journal,
    pub(super) deadline: Duration,
    pub(super) acknowledged: Ledger,
}

impl Caller {
    /// A server-streaming call about the execution `id`, which may last for `whole`, or for as long as
    /// the server likes.
    pub(super) async fn subscribe<R: Resource>(
        &self,
        method: String,
        id: &str,
        whole: Option<Duration>,
    ) -> Answer<Watch<R>> {
        let start = Instant::now();
        let mut request = Request::new(ApiResourceId {
            value: id.to_owned(),
        });
        if let Some(deadline) = whole {
            request.set_timeout(deadline);
        }
        let mut client = self.connect(&method).await?;
        let codec = ProstCodec::default();
        let opened = client.server_streaming(request, path_of(&method), codec);
        let opened = tokio::time::timeout(self.deadline, opened).await;
        match opened.unwrap_or_else(|_| Err(self.too_late())) {
            Ok(response) => Ok(Watch::new(
                method,
                start,
                whole,
                response.into_inner(),
                self.journal.clone(),
            )),
            Err(status) => Err(self.record_error(method, start, json!({"value": id}), status)),
        }
    }

    /// A unary call with a message.
    pub(super) async fn unary<Q, R>(&self, method: String, request: Q) -> Answer<R>
    where
        Q: ReflectMessage + 'static,
        R: ReflectMessage + Default + 'static,
    {
        let recorded = to_json(&request);
        self.call(method, recorded, request, ProstCodec::<Q, R>::default())
            .await
    }

    /// A unary call with whatever `codec` encodes; `recorded` stands for it in the journal.
    pub(super) async fn call<Q, R, C>(
        &self,
        method: String,
        recorded: Value,
        request: Q,
        codec: C,
    ) -> Answer<R>
    where
        Q: Send + Sync + 'static,
        R: ReflectMessage + 'static,
        C: Codec<Encode = Q, Decode = R>,
    {
        let start = Instant::now();
        let mut client = self.connect(&method).await?;
        let mut request = Request::new(request);
        // The server learns the deadline, too, as it does from the CLI.
        request.set_timeout(self.deadline);
        let call = client.unary(request, path_of(&method), codec);
        let answer = tokio::time::timeout(self.deadline, call)
            .await
            .unwrap_or_else(|_| Err(self.too_late()));
        match answer {
            Ok(response) => {
                let response = response.into_inner();
                let json = to_json(&response);
                let message = response.descriptor();
                self.acknowledged.note(&method, message.full_name(), &json);
                self.journal.write(json!({
                    "method": method, "ms": millis(start), "request": recorded,
                    "response": json,
                }));
                Ok(response)
            }
            Err(status) => Err(self.record_error(method, start, recorded, status)),
        }
    }

    async fn connect(&self, method: &str) -> Answer<Grpc<Channel>> {
        let mut client = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            // Requests above the limit must reach the server: refusing them is its job.
            .max_encoding_message_size(2 * MAX_MESSAGE_BYTES);
        let ready = tokio::time::timeout(self.deadline, client.ready()).await;
        let status = match ready {
            Ok(Ok(())) => return Ok(client),
            Ok(Err(error)) => Status::unavailable(with_causes(&error)),
            Err(_) => self.too_late(),
        };
        Err(CallError {
            method: method.to_owned(),
            status,
        })
    }

    fn too_late(&self) -> Status {
        Status::deadline_exceeded(format!("no answer within {:?}", self.deadline))
    }

    fn record_error(
        &self,
        method: String,
        start: Instant,
        request: Value,
        status: Status,
    ) -> CallError {
        self.journal.write(json!({
            "method": method, "ms": millis(start), "request": request,
            "status": format!("{:?}", status.code()), "message": status.message(),
        }));
        CallError { method, status }
    }
}

pub(super) fn path_of(method: &str) -> PathAndQuery {
    // Paths are built from descriptor names, which are identifiers and dots.
    method.parse().expect("a gRPC path")
}

pub(super) fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
