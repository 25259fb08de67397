//! What is done around every call, whatever its service.

use std::{
    future::Future,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tonic::{
    body::Body,
    codegen::{Service, http},
};
use tower::Layer;

/// Something to do around every call.
pub trait Around: Clone + Send + Sync + 'static {
    /// Waits for the response to a call of the method at `path`, and gives what is answered.
    fn around<E: Send>(
        &self,
        path: &str,
        response: impl Future<Output = Result<http::Response<Body>, E>> + Send,
    ) -> impl Future<Output = Result<http::Response<Body>, E>> + Send;
}

/// Does `A` around every call.
#[derive(Clone, Copy, Debug)]
pub struct AroundLayer<A>(pub A);

/// See [`AroundLayer`].
#[derive(Clone, Debug)]
pub struct Surrounded<S, A> {
    inner: S,
    around: A,
}

impl<S, A: Clone> Layer<S> for AroundLayer<A> {
    type Service = Surrounded<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        Surrounded {
            inner,
            around: self.0.clone(),
        }
    }
}

impl<S, A, B> Service<http::Request<B>> for Surrounded<S, A>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send,
    A: Around,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let response = self.inner.call(request);
        let around = self.around.clone();
        Box::pin(async move { around.around(&path, response).await })
    }
}
