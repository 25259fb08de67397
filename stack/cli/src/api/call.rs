//! Calls, each with its deadline.

use std::time::Duration;

use prost::Message;
use stigmer_api::MAX_MESSAGE_BYTES;
use tokio::time::{error::Elapsed, timeout};
use tonic::{
    Request, Status, Streaming, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel,
};
use tonic_prost::ProstCodec;

use super::{Api, ApiError};

impl Api {
    /// The answer to `request`, waited for at most `limit`.
    pub async fn unary<Q, A>(
        &self,
        path: PathAndQuery,
        request: Q,
        limit: Duration,
    ) -> Result<A, ApiError>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let name = path.to_string();
        let result = timeout(limit, self.call(path, request)).await;
        self.outcome(&name, limit, result)
    }

    /// The stream that answers `request`. `limit` is for setting it up, not for what it tells.
    pub async fn stream<Q, A>(
        &self,
        path: PathAndQuery,
        request: Q,
        limit: Duration,
    ) -> Result<Streaming<A>, ApiError>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let name = path.to_string();
        let open = async {
            let mut grpc = self.grpc().await?;
            let codec = ProstCodec::<Q, A>::default();
            let answer = grpc.server_streaming(Request::new(request), path, codec);
            Ok(answer.await?.into_inner())
        };
        let result = timeout(limit, open).await;
        self.outcome(&name, limit, result)
    }

    pub(super) async fn call<Q, A>(&self, path: PathAndQuery, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc().await?;
        let codec = ProstCodec::<Q, A>::default();
        let answer = grpc.unary(Request::new(request), path, codec).await?;
        Ok(answer.into_inner())
    }

    async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        grpc.ready()
            .await
            .map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }

    fn outcome<T>(
        &self,
        path: &str,
        limit: Duration,
        result: Result<Result<T, Status>, Elapsed>,
    ) -> Result<T, ApiError> {
        tracing::debug!(path, ok = matches!(result, Ok(Ok(_))), "answer");
        match result {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Err(self.error(status)),
            Err(_) => Err(ApiError::NoAnswer {
                address: self.address.clone(),
                limit,
            }),
        }
    }
}
