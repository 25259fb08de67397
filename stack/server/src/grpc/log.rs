//! One log line for each call, when it ends.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use http_body::{Frame, SizeHint};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{Body as HttpBody, Bytes, http},
};

use super::around::Around;

const HEALTH: &str = "/grpc.health.v1.Health/";

/// Logs method, duration, and code of each call: unary calls when they are answered, streams when
/// they end or the client leaves.
#[derive(Clone, Copy, Debug)]
pub struct CallLog;

impl Around for CallLog {
    async fn around<E: Send>(
        &self,
        path: &str,
        response: impl Future<Output = Result<http::Response<Body>, E>> + Send,
    ) -> Result<http::Response<Body>, E> {
        let mut call = Call::new(path.to_owned());
        let response = response.await?;
        Ok(match Status::from_header_map(response.headers()) {
            Some(status) => {
                call.end(&status);
                response
            }
            None => response.map(|inner| Body::new(LoggedBody { inner, call })),
        })
    }
}

/// A call under way. Dropped before its end, it was the client that left.
struct Call {
    method: String,
    began: Instant,
    ended: bool,
}

impl Call {
    fn new(method: String) -> Self {
        Self {
            method,
            began: Instant::now(),
            ended: false,
        }
    }

    fn end(&mut self, status: &Status) {
        self.ended = true;
        let (method, code) = (&self.method, status.code());
        let duration_ms = (self.began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let error = status.message();
        match code {
            // Whoever waits for the server asks often.
            Code::Ok if method.starts_with(HEALTH) => {
                tracing::debug!(method, duration_ms, ?code, "call")
            }
            Code::Ok => tracing::info!(method, duration_ms, ?code, "call"),
            Code::Internal | Code::Unknown => {
                tracing::error!(method, duration_ms, ?code, error, "call")
            }
            _ => tracing::info!(method, duration_ms, ?code, error, "call"),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.end(&Status::cancelled("the client left"));
        }
    }
}

struct LoggedBody {
    inner: Body,
    call: Call,
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            let status = Status::from_header_map(trailers);
            self.call.end(&status.unwrap_or_else(|| Status::ok("")));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
