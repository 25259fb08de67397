//! The connection to the server. Every call has a deadline, the first one included: a server that
//! takes connections and never answers must not hold anybody up.

use std::{env, error::Error, time::Duration};

use stigmer_api::{ApiResourceReference, agent::Agent};
use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::path;
use crate::daemon;

/// The port where a server listens that is told no other by `GRPC_PORT`.
const DEFAULT_PORT: u16 = 7234;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For connecting and the first answer together.
const FIRST_ANSWER_LIMIT: Duration = Duration::from_secs(12);
/// Tells a host that is gone from one that is silent. HTTP/2 pings would do the same for a process
/// that hangs, but servers may take frequent pings for abuse.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);

/// Why the server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("STIGMER_SERVER_ADDR={0:?} is not an address; give host:port, such as localhost:7234")]
    Address(String),
    #[error(
        "Cannot connect to stigmer-server at {address}: {reason}\n\n\
         Is the server running?\n  stigmer server\n\n\
         Or check status:\n  stigmer server status\n\n\
         A server elsewhere is named by STIGMER_SERVER_ADDR=host:port"
    )]
    Unreachable { address: String, reason: String },
    #[error("stigmer-server at {address} did not answer within {limit:?}")]
    NoAnswer { address: String, limit: Duration },
    #[error("{}", reason(.0))]
    Refused(Box<Status>),
}

impl ApiError {
    /// Whether the server knows no such resource.
    pub fn is_not_found(&self) -> bool {
        self.has_code(Code::NotFound)
    }

    /// Whether the server does not know the call.
    pub fn is_unimplemented(&self) -> bool {
        self.has_code(Code::Unimplemented)
    }

    /// Whether the answer was too large to be sent or read.
    pub fn is_too_large(&self) -> bool {
        self.has_code(Code::OutOfRange) || self.has_code(Code::ResourceExhausted)
    }

    fn has_code(&self, code: Code) -> bool {
        matches!(self, Self::Refused(status) if status.code() == code)
    }
}

/// A connection that has answered once.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) channel: Channel,
    pub(super) address: String,
}

/// The address that the user gives, `STIGMER_SERVER_ADDR`.
pub fn explicit_address() -> Option<String> {
    env::var("STIGMER_SERVER_ADDR")
        .ok()
        .filter(|address| !address.is_empty())
}

/// The address in force: `STIGMER_SERVER_ADDR`, else the one of the running daemon, else where a
/// server of this environment would listen.
pub fn server_address() -> String {
    explicit_address()
        .or_else(daemon::address)
        .unwrap_or_else(|| default_address(env::var("GRPC_PORT").ok()))
}

fn default_address(port: Option<String>) -> String {
    let port = port.and_then(|port| port.parse().ok());
    format!("localhost:{}", port.unwrap_or(DEFAULT_PORT))
}

impl Api {
    /// Connects and waits for a first answer, both within 12 seconds.
    pub async fn connect() -> Result<Self, ApiError> {
        Self::connect_to(server_address(), FIRST_ANSWER_LIMIT).await
    }

    async fn connect_to(address: String, limit: Duration) -> Result<Self, ApiError> {
        let deadline = Instant::now() + limit;
        let endpoint = endpoint(&address)?;
        let unreachable = |reason: String| ApiError::Unreachable {
            address: address.clone(),
            reason,
        };
        let channel = match timeout_at(deadline, endpoint.connect()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return Err(unreachable(root_cause(&error))),
            Err(_) => return Err(unreachable(format!("no connection within {limit:?}"))),
        };
        let api = Self {
            channel,
            address: address.clone(),
        };
        match timeout_at(deadline, api.ping()).await {
            Ok(Ok(())) => Ok(api),
            Ok(Err(reason)) => Err(unreachable(reason)),
            Err(_) => Err(unreachable(format!(
                "it takes connections but did not answer within {limit:?}"
            ))),
        }
    }

    /// What a failed call means: a status that the server sent, or a broken connection.
    pub fn error(&self, status: Status) -> ApiError {
        tracing::debug!(?status, "refused");
        match status.source() {
            None => ApiError::Refused(Box::new(status)),
            Some(source) => ApiError::Unreachable {
                address: self.address.clone(),
                reason: root_cause(source),
            },
        }
    }

    /// Whatever a working server thinks of an empty reference, it says so.
    async fn ping(&self) -> Result<(), String> {
        let path = path::query::<Agent>("getByReference");
        match self
            .call::<_, Agent>(path, ApiResourceReference::default())
            .await
        {
            Ok(_) => Ok(()),
            Err(status) => match status.code() {
                Code::InvalidArgument | Code::NotFound => Ok(()),
                _ if status.source().is_some() => Err(reason(&status)),
                code => Err(format!("it answered {code:?}: {}", reason(&status))),
            },
        }
    }
}

fn endpoint(address: &str) -> Result<Endpoint, ApiError> {
    let url = match address.split_once("://") {
        None => format!("http://{address}"),
        Some(("http", _)) => address.to_owned(),
        Some(_) => return Err(ApiError::Address(address.to_owned())),
    };
    let has_port = url
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.trim_end_matches('/').parse::<u16>().is_ok());
    match Endpoint::from_shared(url) {
        Ok(endpoint) if has_port => Ok(endpoint
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(TCP_KEEPALIVE))),
        _ => Err(ApiError::Address(address.to_owned())),
    }
}

/// The innermost error, which is the one that says what happened.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Why a call failed: what broke the connection, else what the server says.
pub fn reason(status: &Status) -> String {
    match (status.source(), status.message()) {
        (Some(source), _) => root_cause(source),
        (None, "") => status.code().description().to_owned(),
        (None, message) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[test]
    fn a_server_is_looked_for_where_it_would_listen() {
        for (port, wanted) in [
            (None, "localhost:7234"),
            (Some(""), "localhost:7234"),
            (Some("9000"), "localhost:9000"),
        ] {
            assert_eq!(default_address(port.map(str::to_owned)), wanted);
        }
    }

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["localhost:7234", "127.0.0.1:1", "http://[::1]:7234"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "localhost",
            "https://example.com:443",
            "a b:1",
            "host:99999",
            ":",
        ] {
            let error = endpoint(bad).unwrap_err().to_string();
            assert!(
                error.contains(bad) && error.contains("STIGMER_SERVER_ADDR"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_takes_connections_but_never_answers_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silent = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        });
        let connecting = Api::connect_to(address.clone(), Duration::from_millis(300));
        let error = timeout(Duration::from_secs(10), connecting)
            .await
            .expect("it gives up")
            .unwrap_err();
        silent.abort();
        assert!(
            error.to_string().starts_with(&format!(
                "Cannot connect to stigmer-server at {address}: it takes connections but did not answer within 300ms"
            )),
            "{error}"
        );
    }

    #[tokio::test]
    async fn nobody_listening_is_said_at_once() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let error = Api::connect_to(free, FIRST_ANSWER_LIMIT)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Connection refused") && error.contains("Is the server running?"),
            "{error}"
        );
    }

    #[test]
    fn a_status_reads_as_its_message() {
        let status = |message: &str| ApiError::Refused(Box::new(Status::not_found(message)));
        assert_eq!(status("Agent x not found").to_string(), "Agent x not found");
        assert_eq!(status("").to_string(), Code::NotFound.description());
        assert!(status("").is_not_found() && !status("").is_unimplemented());
    }
}
