//! A Stigmer server, asked whether it serves.

use std::time::Duration;

use stigmer_api::{
    agent::agent_query_controller_client::AgentQueryControllerClient, commons::ApiResourceReference,
};
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::with_causes;

/// How long it may take to answer one question.
const ANSWER: Duration = Duration::from_secs(5);

/// A server that does not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No answer, or none of the gRPC health protocol.
    #[error("{address} gives no answer to a gRPC health check: {cause}")]
    NoAnswer {
        /// What was asked.
        address: String,
        /// What was met.
        cause: String,
    },
    /// It answers health checks, as many do, and is no Stigmer.
    #[error("{address} answers health checks, and no query for an agent: {cause}")]
    NoStigmer {
        /// What was asked.
        address: String,
        /// What was met.
        cause: String,
    },
    /// It answers that it does not serve.
    #[error("{address} says {status} for health service {service:?}")]
    NotServing {
        /// What was asked.
        address: String,
        /// The health service.
        service: String,
        /// Its status.
        status: &'static str,
    },
}

/// Whether a server at `address` (`host:port`) says SERVING for itself and, if asked, for its
/// Temporal workers.
pub async fn server_answers(address: &str, with_temporal: bool) -> Result<(), ServerError> {
    let no_answer = |cause: String| ServerError::NoAnswer {
        address: address.to_owned(),
        cause,
    };
    let channel = connect(address).await.map_err(no_answer)?;
    let mut client = HealthClient::new(channel);
    for service in std::iter::once("").chain(with_temporal.then_some("temporal")) {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = tokio::time::timeout(ANSWER, client.check(request)).await;
        let answer = answer.map_err(|_| no_answer(format!("nothing within {ANSWER:?}")))?;
        let status = answer
            .map_err(|status| no_answer(status.to_string()))?
            .into_inner()
            .status();
        if status != ServingStatus::Serving {
            let status = status.as_str_name();
            return Err(ServerError::NotServing {
                address: address.to_owned(),
                service: service.to_owned(),
                status,
            });
        }
    }
    Ok(())
}

/// Whether a server at `address` answers a query as a Stigmer does: what it thinks of a reference to
/// nothing.
///
/// # Errors
///
/// [`ServerError::NoStigmer`] when it does not.
pub async fn server_queries(address: &str) -> Result<(), ServerError> {
    let no_stigmer = |cause: String| ServerError::NoStigmer {
        address: address.to_owned(),
        cause,
    };
    let channel = connect(address).await.map_err(no_stigmer)?;
    let mut client = AgentQueryControllerClient::new(channel);
    let nothing = ApiResourceReference::default();
    match client.get_by_reference(nothing).await {
        Err(status) if ![Code::NotFound, Code::InvalidArgument].contains(&status.code()) => {
            Err(no_stigmer(status.to_string()))
        }
        _ => Ok(()),
    }
}

/// A connection; whether anybody speaks HTTP/2 there shows at the first call.
async fn connect(address: &str) -> Result<Channel, String> {
    let endpoint =
        Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
    let endpoint = endpoint.connect_timeout(ANSWER).timeout(ANSWER);
    let channel = endpoint.connect().await;
    channel.map_err(|error| with_causes(&error))
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};
    use tokio_stream::wrappers::TcpListenerStream;

    use super::*;

    async fn health_server(temporal: Option<tonic_health::ServingStatus>) -> String {
        let (reporter, service) = tonic_health::server::health_reporter();
        if let Some(status) = temporal {
            reporter.set_service_status("temporal", status).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        address
    }

    #[tokio::test]
    async fn a_server_that_serves_is_accepted() {
        let address = health_server(Some(tonic_health::ServingStatus::Serving)).await;
        server_answers(&address, true).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_without_its_workers_is_ready_only_without_temporal() {
        let address = health_server(Some(tonic_health::ServingStatus::NotServing)).await;
        server_answers(&address, false).await.unwrap();
        let error = server_answers(&address, true).await.unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("says NOT_SERVING for health service \"temporal\""),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_server_that_only_answers_health_checks_is_no_stigmer() {
        let address = health_server(Some(tonic_health::ServingStatus::Serving)).await;
        let error = server_queries(&address).await.unwrap_err();
        assert!(matches!(error, ServerError::NoStigmer { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_plain_listener_gives_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"220 mail ready\r\n").await;
            }
        });
        let error = server_answers(&address, false).await.unwrap_err();
        assert!(matches!(error, ServerError::NoAnswer { .. }), "{error}");
    }

    #[tokio::test]
    async fn nobody_at_all_gives_no_answer() {
        let address = format!("127.0.0.1:{}", crate::services::free_port().unwrap());
        let error = server_answers(&address, false).await.unwrap_err();
        assert!(matches!(error, ServerError::NoAnswer { .. }), "{error}");
    }
}
