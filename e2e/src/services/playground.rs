//! A stack to play with on the shared services: what `up` adds to them.

use std::{rc::Rc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_e2e_plan::{Stack, read_json};
use stigmer_process::Ready;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    session::{SharedModel, SharedTemporal},
    supervise::{Readiness, Service, Spec},
};

/// How long the server may take to answer one question.
const ANSWER: Duration = Duration::from_secs(5);

/// What both parts share.
#[derive(Debug)]
struct Setting {
    stack: Stack,
    temporal: SharedTemporal,
    llm: Option<SharedModel>,
    folder: Utf8PathBuf,
}

impl Setting {
    fn ready_file(&self, part: &str) -> Utf8PathBuf {
        self.folder.join(format!("{part}.ready.json"))
    }

    /// What the part says about itself, once it does its work.
    fn ready(&self, part: &str) -> anyhow::Result<Ready> {
        let file = self.ready_file(part);
        anyhow::ensure!(file.exists(), "it has not written its ready file");
        read_json(&file)
    }

    fn server_address(&self) -> Option<String> {
        self.ready(Server::NAME).ok()?.address
    }

    fn spec(&self, part: &str, program: &Utf8Path) -> Spec {
        Spec::new(part, program, self.folder.join(format!("{part}.log")))
            .env("HOME", self.folder.join("home").as_str())
            .env("STIGMER_READY_FILE", self.ready_file(part).as_str())
            .env("TEMPORAL_SERVICE_ADDRESS", &self.temporal.address)
            .env("TEMPORAL_NAMESPACE", "default")
    }
}

/// The server of the stack under test, on a port the system chooses.
#[derive(Clone, Debug)]
pub struct Server(Rc<Setting>);

/// The agent-runner of the stack under test.
#[derive(Clone, Debug)]
pub struct AgentRunner(Rc<Setting>);

impl Server {
    const NAME: &str = "stigmer-server";

    /// A server on `temporal`, and the agent-runner that belongs to it and asks `llm`. Their data,
    /// logs, and HOME are in `folder`.
    pub fn with_runner(stack: &Stack, temporal: &SharedTemporal, llm: Option<&SharedModel>, folder: &Utf8Path) -> (Self, AgentRunner) {
        let (stack, temporal, llm, folder) = (stack.clone(), temporal.clone(), llm.cloned(), folder.to_owned());
        let setting = Rc::new(Setting { stack, temporal, llm, folder });
        (Self(setting.clone()), AgentRunner(setting))
    }
}

impl Service for Server {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let folder = &self.0.folder;
        Ok(self
            .0
            .spec(Self::NAME, &self.0.stack.server)
            .env("GRPC_HOST", "127.0.0.1")
            .env("GRPC_PORT", "0")
            .env("DB_PATH", folder.join("stigmer.db").as_str())
            .env("STORAGE_PATH", folder.join("storage").as_str()))
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let setting = self.0.clone();
        readiness(async move {
            let address = setting.ready(Self::NAME)?.address.unwrap_or_default();
            Ok(server_answers(&address, true).await?)
        })
    }

    fn address(&self) -> Option<String> {
        self.0.server_address()
    }
}

impl AgentRunner {
    const NAME: &str = "stigmer-agent-runner";
}

impl Service for AgentRunner {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn depends_on(&self) -> &[&str] {
        &[Server::NAME]
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let setting = &self.0;
        let mut spec = setting
            .spec(Self::NAME, &setting.stack.agent_runner)
            .env("STIGMER_BACKEND_ENDPOINT", setting.server_address().unwrap_or_default());
        if let Some(llm) = &setting.llm {
            spec = spec.env("STIGMER_LLM_BASE_URL", &llm.base_url).env("STIGMER_LLM_MODEL", &llm.model);
        }
        Ok(spec)
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let setting = self.0.clone();
        // It writes the file once its workers poll.
        readiness(async move { setting.ready(Self::NAME).map(drop) })
    }
}

fn readiness(look: impl Future<Output = anyhow::Result<()>> + 'static) -> LocalBoxFuture<'static, Readiness> {
    Box::pin(async move {
        match look.await {
            Ok(()) => Readiness::Ready,
            Err(error) => Readiness::NotYet(format!("{error:#}")),
        }
    })
}

/// A server that does not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nobody answers.
    #[error("{address} does not answer: {cause}")]
    Unreachable {
        /// What was asked.
        address: String,
        /// What was met.
        cause: String,
    },
    /// Somebody answers who speaks no gRPC health protocol.
    #[error("{address} is something else: {cause}")]
    SomethingElse {
        /// What was asked.
        address: String,
        /// What was wrong with the answer.
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
    let unreachable = |cause: String| ServerError::Unreachable { address: address.to_owned(), cause };
    let something_else = |cause: String| ServerError::SomethingElse { address: address.to_owned(), cause };
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| unreachable(error.to_string()))?;
    // Connecting is TCP only; whether HTTP/2 is spoken shows at the first call.
    let channel = endpoint.connect_timeout(ANSWER).timeout(ANSWER).connect().await;
    let mut client = HealthClient::new(channel.map_err(|error| unreachable(format!("{error:?}")))?);
    for service in ["", "temporal"].into_iter().take(if with_temporal { 2 } else { 1 }) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = tokio::time::timeout(ANSWER, client.check(request)).await;
        let answer = answer.map_err(|_| something_else(format!("no answer to a gRPC health check within {ANSWER:?}")))?;
        let status = answer.map_err(|status| something_else(status.to_string()))?.into_inner().status();
        if status != ServingStatus::Serving {
            let status = status.as_str_name();
            return Err(ServerError::NotServing { address: address.to_owned(), service: service.to_owned(), status });
        }
    }
    Ok(())
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
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
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
        assert!(error.to_string().ends_with("says NOT_SERVING for health service \"temporal\""), "{error}");
    }

    #[tokio::test]
    async fn a_plain_listener_is_something_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"220 mail ready\r\n").await;
            }
        });
        let error = server_answers(&address, false).await.unwrap_err();
        assert!(matches!(error, ServerError::SomethingElse { .. }), "{error}");
    }

    #[tokio::test]
    async fn nobody_at_all_is_unreachable() {
        let address = format!("127.0.0.1:{}", crate::services::free_port().unwrap());
        let error = server_answers(&address, false).await.unwrap_err();
        assert!(matches!(error, ServerError::Unreachable { .. }), "{error}");
    }
}
