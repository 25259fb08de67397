//! One connection of a link that knows gRPC: HTTP/2 without TLS on both sides, call by call.

use std::{io, sync::Arc};

use axum::body::Body;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http2::{SendRequest, handshake},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{Code, Status};

use super::calls::{Calls, Effect};

/// Passes the calls of `client` on to `backend` until one of them goes away.
pub(super) async fn serve<C, B>(client: C, backend: B, calls: Arc<Calls>) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let backend = handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(backend)).await;
    let (sender, connection) = backend.map_err(io::Error::other)?;
    let pass = service_fn(move |request| pass(request, sender.clone(), calls.clone()));
    let serving =
        http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(client), pass);
    tokio::select! {
        served = serving => served.map_err(io::Error::other),
        // Whoever called sees its connection break, as without a link.
        _ = connection => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

async fn pass(
    request: Request<Incoming>,
    mut backend: SendRequest<Body>,
    calls: Arc<Calls>,
) -> hyper::Result<Response<Body>> {
    let method = request.uri().path().trim_start_matches('/').to_owned();
    let effect = calls.arrived(&method);
    match &effect {
        Some(Effect::Refuse(code)) => return Ok(ending(*code)),
        Some(Effect::Forbid) => {
            let told = format!("{method} may not pass here");
            return Ok(Status::permission_denied(told).into_http());
        }
        Some(Effect::Delay(time)) => tokio::time::sleep(*time).await,
        Some(Effect::Hold(gate)) => gate.pass().await,
        Some(Effect::Lose(_)) | None => {}
    }
    let answer = backend.send_request(request.map(Body::new)).await?;
    let Some(Effect::Lose(code)) = effect else {
        return Ok(answer.map(Body::new));
    };
    // To its end, since only then the backend is done.
    match axum::body::to_bytes(Body::new(answer.into_body()), usize::MAX).await {
        Ok(_) => Ok(ending(code)),
        Err(error) => Ok(Status::internal(error.to_string()).into_http()),
    }
}

fn ending(code: Code) -> Response<Body> {
    Status::new(code, "a fault that the test planned").into_http()
}
