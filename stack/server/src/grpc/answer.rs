//! Codes that the transport chooses and the contract does not.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::{
    Code, Status,
    body::Body,
    codegen::{Service, http},
};
use tower::Layer;

/// Gives requests that are too large RESOURCE_EXHAUSTED and requests that are not the message they
/// should be INVALID_ARGUMENT; the transport says OUT_OF_RANGE and INTERNAL.
#[derive(Clone, Copy, Debug)]
pub struct WireStatusLayer;

/// See [`WireStatusLayer`].
#[derive(Clone, Debug)]
pub struct WireStatus<S> {
    inner: S,
}

impl<S> Layer<S> for WireStatusLayer {
    type Service = WireStatus<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WireStatus { inner }
    }
}

impl<S, B> Service<http::Request<B>> for WireStatus<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            // What could not be read has an answer without a body: its status is in the headers.
            let status = Status::from_header_map(response.headers())
                .and_then(|status| as_contracted(&status));
            Ok(status.map_or(response, Status::into_http))
        })
    }
}

fn as_contracted(status: &Status) -> Option<Status> {
    match status.code() {
        Code::OutOfRange if status.message().contains("message length too large") => {
            Some(Status::resource_exhausted(status.message()))
        }
        Code::Internal
            if status
                .message()
                .starts_with("failed to decode Protobuf message") =>
        {
            Some(Status::invalid_argument(status.message()))
        }
        _ => None,
    }
}
