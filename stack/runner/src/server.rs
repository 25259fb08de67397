//! The connection to the server's API.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::Instant;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::BackendSettings;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);

/// What clients of the server's services are made from.
pub type AuthorizedChannel = InterceptedService<Channel, Bearer>;

/// A connection to the server. It is made when first used, and again when it breaks.
#[derive(Clone, Debug)]
pub struct Server {
    address: Arc<str>,
    channel: AuthorizedChannel,
}

/// The server did not do what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} at the stigmer-server {address}: {:?}: {}", .status.code(), .status.message())]
pub struct ServerError {
    /// What was asked, such as `get workflow "wfl-…"`.
    pub what: String,
    /// The server's address.
    pub address: Arc<str>,
    /// What it answered.
    pub status: Box<Status>,
}

/// Adds the key to every call.
#[derive(Clone, Debug)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Server {
    /// A connection to the server in the settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the address or key cannot be used, which [`BackendSettings::from_env`] rules out.
    pub fn new(settings: &BackendSettings) -> anyhow::Result<Self> {
        let failed = "failed to make a client of the stigmer-server";
        let channel = Endpoint::from_shared(format!("http://{}", settings.address))
            .context(failed)?
            .connect_timeout(CONNECT)
            .timeout(CALL)
            .tcp_nodelay(true)
            .connect_lazy();
        let bearer = Bearer(
            format!("Bearer {}", settings.api_key)
                .parse()
                .context(failed)?,
        );
        Ok(Self {
            address: settings.address.as_str().into(),
            channel: InterceptedService::new(channel, bearer),
        })
    }

    /// What a client of one of its services is made from.
    pub fn channel(&self) -> AuthorizedChannel {
        self.channel.clone()
    }

    /// Calls, and calls again while the server cannot be reached, for as long as `patience` lasts.
    /// `what` is what is asked, for the error.
    ///
    /// # Errors
    ///
    /// What the server answered at last.
    pub async fn call<T, F>(
        &self,
        what: String,
        patience: Duration,
        call: impl Fn() -> F,
    ) -> Result<T, ServerError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let end = Instant::now() + patience;
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_secs(1))
            .with_jitter()
            .without_max_times();
        call.retry(backoff)
            .when(|status| status.code() == Code::Unavailable && Instant::now() < end)
            .await
            .map(Response::into_inner)
            .map_err(|status| self.error(what, status))
    }

    /// The error that `what` was answered with `status`.
    pub fn error(&self, what: String, status: Status) -> ServerError {
        ServerError {
            what,
            address: self.address.clone(),
            status: Box::new(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn server() -> Server {
        Server::new(&BackendSettings {
            address: "127.0.0.1:1".to_owned(),
            api_key: "key".to_owned(),
        })
        .expect("the settings are fine")
    }

    /// Answers the codes one after the other; the last one for good. Gives the calls that were made.
    async fn calls(codes: &[Code], patience: Duration) -> (u32, Result<(), ServerError>) {
        let made = AtomicU32::new(0);
        let answer = || async {
            let nth = made.fetch_add(1, Ordering::Relaxed) as usize;
            match codes[nth.min(codes.len() - 1)] {
                Code::Ok => Ok(Response::new(())),
                code => Err(Status::new(code, "no")),
            }
        };
        let result = server().call("ask".to_owned(), patience, answer).await;
        (made.into_inner(), result)
    }

    #[tokio::test]
    async fn only_a_server_that_cannot_be_reached_is_asked_again() {
        let patience = Duration::from_secs(20);
        let (made, result) =
            calls(&[Code::Unavailable, Code::Unavailable, Code::Ok], patience).await;
        assert_eq!((made, result.is_ok()), (3, true));
        let (made, result) = calls(&[Code::NotFound], patience).await;
        assert_eq!((made, result.is_err()), (1, true));
    }

    #[tokio::test]
    async fn patience_ends_and_the_error_says_what_was_asked_of_whom() {
        let patience = Duration::from_millis(100);
        let begin = Instant::now();
        let (made, result) = calls(&[Code::Unavailable], patience).await;
        assert!(
            made > 2 && begin.elapsed() >= patience,
            "{made} calls in {:?}",
            begin.elapsed()
        );
        assert_eq!(
            result.unwrap_err().to_string(),
            "failed to ask at the stigmer-server 127.0.0.1:1: Unavailable: no"
        );
        let (made, _) = calls(&[Code::Unavailable], Duration::ZERO).await;
        assert_eq!(made, 1);
    }
}
