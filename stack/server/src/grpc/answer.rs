//! Codes that the transport chooses and the contract does not.

use std::future::Future;

use tonic::{Code, Status, body::Body, codegen::http};

use super::around::Around;

/// Gives requests that are too large RESOURCE_EXHAUSTED and requests that are not the message they
/// should be INVALID_ARGUMENT; the transport says OUT_OF_RANGE and INTERNAL.
#[derive(Clone, Copy, Debug)]
pub struct WireStatus;

impl Around for WireStatus {
    async fn around<E: Send>(
        &self,
        _path: &str,
        response: impl Future<Output = Result<http::Response<Body>, E>> + Send,
    ) -> Result<http::Response<Body>, E> {
        let response = response.await?;
        // What could not be read has an answer without a body: its status is in the headers.
        let status =
            Status::from_header_map(response.headers()).and_then(|status| as_contracted(&status));
        Ok(status.map_or(response, Status::into_http))
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
