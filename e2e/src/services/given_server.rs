//! A Stigmer server of somebody else, asked whether it is one, and whether all of it is there.

use std::{collections::BTreeSet, time::Duration};

use stigmer_api::DESCRIPTORS;
use tonic::{Code, Request, transport::Endpoint};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::{ServerError, server_answers, server_queries, with_causes};

/// How long it may take to name its services.
const ANSWER: Duration = Duration::from_secs(5);

/// A server that cannot be asked what the contract promises.
#[derive(Debug, thiserror::Error)]
pub enum GivenServerError {
    /// It is none, or does not serve.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// It does not name its services.
    #[error("{address} does not name its services by gRPC reflection: {cause}")]
    NoReflection {
        /// What was asked.
        address: String,
        /// What was met.
        cause: String,
    },
    /// Some of the contract's are not among them.
    #[error("{address} is no whole Stigmer server, it lacks {}", lacking.join(", "))]
    Lacking {
        /// What was asked.
        address: String,
        /// The services that it lacks.
        lacking: Vec<String>,
    },
}

/// The full names of the services that a server has to offer: those of the contract.
pub fn contract_services() -> BTreeSet<String> {
    let services = DESCRIPTORS.services();
    services
        .map(|service| service.full_name().to_owned())
        .filter(|name| name.ends_with("Controller") && !name.contains(".workflowrunner."))
        .collect()
}

/// The full names of the services that a server at `address` (`host:port`) offers, by its own word.
pub async fn offered_services(address: &str) -> Result<BTreeSet<String>, GivenServerError> {
    let no_reflection = |cause: String| GivenServerError::NoReflection {
        address: address.to_owned(),
        cause,
    };
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let endpoint = endpoint.map_err(|error| no_reflection(error.to_string()))?;
    let channel = endpoint.connect_timeout(ANSWER).connect().await;
    let channel = channel.map_err(|error| no_reflection(with_causes(&error)))?;
    let ask = async {
        let question = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let questions = Request::new(tokio_stream::once(question));
        let mut client = ServerReflectionClient::new(channel);
        let answers = client.server_reflection_info(questions).await?;
        answers.into_inner().message().await
    };
    let answer = tokio::time::timeout(ANSWER, ask).await;
    let answer = answer.map_err(|_| no_reflection(format!("nothing within {ANSWER:?}")))?;
    let answer = answer.map_err(|status| match status.code() {
        Code::Unimplemented => no_reflection("it offers none".to_owned()),
        _ => no_reflection(status.to_string()),
    })?;
    match answer.and_then(|answer| answer.message_response) {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.into_iter().map(|it| it.name).collect())
        }
        other => Err(no_reflection(format!("it answers {other:?}"))),
    }
}

/// How many services a server at `address` (`host:port`) offers, if it serves and lacks none of the
/// contract's.
pub async fn whole_server_answers(address: &str) -> Result<usize, GivenServerError> {
    server_answers(address, false).await?;
    let offered = offered_services(address).await?;
    let lacking: Vec<String> = contract_services().difference(&offered).cloned().collect();
    if !lacking.is_empty() {
        let address = address.to_owned();
        return Err(GivenServerError::Lacking { address, lacking });
    }
    server_queries(address).await?;
    Ok(offered.len())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::transport::Server;

    use super::*;

    /// A healthy server that offers health and, if asked, reflection, and nothing of the contract.
    async fn bare_server(reflects: bool) -> String {
        let (_, health) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server::builder()
            .add_service(health)
            .add_optional_service(reflects.then_some(reflection));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }

    #[tokio::test]
    async fn what_a_server_lacks_is_named() {
        let address = bare_server(true).await;
        let error = whole_server_answers(&address).await.unwrap_err();
        let GivenServerError::Lacking { lacking, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(lacking.len(), contract_services().len());
        assert!(
            error.to_string().contains("AgentQueryController"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_server_that_does_not_name_its_services_is_refused() {
        let address = bare_server(false).await;
        let error = whole_server_answers(&address).await.unwrap_err();
        assert!(error.to_string().ends_with("it offers none"), "{error}");
    }

    #[test]
    fn the_contract_has_a_reading_and_a_writing_service_of_each_kind() {
        let services = contract_services();
        let of = |side: &str| services.iter().filter(|it| it.ends_with(side)).count();
        assert_eq!(of("QueryController"), of("CommandController"));
        assert_eq!(services.len(), 2 * of("QueryController"));
    }
}
