//! Connecting to Temporal.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression, Url,
    errors::ClientConnectError,
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Target, error_text};

/// How long one attempt may take: a live frontend on the same machine answers within milliseconds,
/// a distant one within a second.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Temporal cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to connect to Temporal at {address} (namespace {namespace}) {span}: {cause}; start Temporal or correct TEMPORAL_SERVICE_ADDRESS"
)]
pub struct ConnectError {
    /// The address that was tried, `host:port`.
    pub address: String,
    /// The namespace the client was for.
    pub namespace: String,
    /// What the last attempt met.
    pub cause: String,
    span: String,
}

impl ConnectError {
    fn new(target: &Target, cause: String) -> Self {
        Self {
            address: target.address.clone(),
            namespace: target.namespace.clone(),
            cause,
            span: "in one attempt".to_owned(),
        }
    }
}

/// Connects once, within 5 s. `identity` is what Temporal shows for this client, such as
/// `stigmer-server@4711`.
pub async fn connect(target: &Target, identity: &str) -> Result<Client, ConnectError> {
    let url = format!("http://{}", target.address)
        .parse::<Url>()
        .map_err(|e| ConnectError::new(target, format!("not a host:port address: {e}")))?;
    let options = ConnectionOptions::new(url)
        .identity(identity)
        // Payloads are small and mostly stay on one machine: compressing them costs more than it saves.
        .grpc_compression(GrpcCompression::None)
        // A balanced channel also picks addresses of a name that nobody listens on.
        .dns_load_balancing(None)
        .build();
    let connection = timeout(ATTEMPT, Connection::connect(options))
        .await
        .map_err(|_| {
            ConnectError::new(target, format!("no answer within {} s", ATTEMPT.as_secs()))
        })?
        .map_err(|e| ConnectError::new(target, cause(&e)))?;
    let options = ClientOptions::new(target.namespace.clone())
        .data_converter(target.encryption.data_converter())
        .build();
    Client::new(connection, options).map_err(|e| ConnectError::new(target, e.to_string()))
}

/// Connects, trying again from every 10 ms up to every second, until `deadline` is over. The error
/// holds the cause of the last attempt.
pub async fn connect_until(
    target: &Target,
    identity: &str,
    deadline: Duration,
) -> Result<Client, ConnectError> {
    let end = Instant::now() + deadline;
    let mut pauses = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_secs(1))
        .with_jitter()
        .without_max_times()
        .build();
    let mut attempts = 0_u32;
    loop {
        attempts += 1;
        let error = match timeout_at(end, connect(target, identity)).await {
            Ok(Ok(client)) => return Ok(client),
            Ok(Err(error)) => error,
            Err(_) => ConnectError::new(target, "the last attempt got no answer".to_owned()),
        };
        // The backoff is endless.
        let pause = pauses.next().unwrap_or(ATTEMPT);
        if Instant::now() + pause >= end {
            return Err(ConnectError {
                span: format!(
                    "within {:.1} s ({attempts} attempts)",
                    deadline.as_secs_f64()
                ),
                ..error
            });
        }
        sleep(pause).await;
    }
}

/// A client for another namespace on the connection of `client`, with the same encryption.
pub fn in_namespace(client: &Client, namespace: &str) -> Client {
    let options = ClientOptions::new(namespace)
        .data_converter(client.options().data_converter.clone())
        .build();
    // Only plugins can refuse, and there are none.
    Client::new(client.connection().clone(), options)
        .expect("a client without plugins is always made")
}

fn cause(error: &ClientConnectError) -> String {
    match error {
        ClientConnectError::TonicTransportError(e) => error_text::chain(e),
        ClientConnectError::SystemInfoCallError(status) => {
            format!("GetSystemInfo answered {}", error_text::status(status))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Target {
        // A port that was free a moment ago: nothing listens there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address")
            .to_string();
        Target::plain(address, "tests")
    }

    #[tokio::test]
    async fn a_refused_connection_names_address_namespace_and_remedy() {
        let target = nobody();
        let error = connect(&target, "test")
            .await
            .expect_err("nobody listens")
            .to_string();
        for part in [
            target.address.as_str(),
            "namespace tests",
            "refused",
            "start Temporal",
        ] {
            assert!(error.contains(part), "{part:?} is missing in {error:?}");
        }
    }

    #[tokio::test]
    async fn waiting_ends_with_the_deadline_and_counts_the_attempts() {
        let begin = Instant::now();
        let error = connect_until(&nobody(), "test", Duration::from_millis(200))
            .await
            .expect_err("nobody listens");
        assert!(
            begin.elapsed() < Duration::from_secs(1),
            "{:?}",
            begin.elapsed()
        );
        assert!(error.to_string().contains("within 0.2 s ("), "{error}");
    }

    #[tokio::test]
    async fn an_address_with_a_space_is_refused_before_dialling() {
        let target = Target::plain("local host:1", "default");
        let error = connect(&target, "test")
            .await
            .expect_err("not an address")
            .to_string();
        assert!(error.contains("not a host:port address"), "{error}");
    }
}
