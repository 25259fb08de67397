//! A stack to play with on the shared services: what `up` adds to them.

use std::{rc::Rc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_api::temporal_names::{AGENT_EXECUTION_RUNNER, AGENT_EXECUTION_STIGMER};
use stigmer_e2e_plan::{Stack, read_json};
use stigmer_process::Ready;
use stigmer_temporal::{Target, connect, ping};

use super::{LlamaCpp, Model, Temporal, server_answers};
use crate::supervise::{Readiness, Service, Spec};

/// How long a part may take to answer one question.
const ANSWER: Duration = Duration::from_secs(5);
/// The Temporal namespace of the playground; the dev server creates it.
const NAMESPACE: &str = "default";

/// What both parts share.
#[derive(Debug)]
struct Setting {
    stack: Stack,
    temporal: Temporal,
    model: Model,
    folder: Utf8PathBuf,
}

impl Setting {
    fn ready_file(&self, part: &str) -> Utf8PathBuf {
        self.folder.join(format!("{part}.ready.json"))
    }

    /// What the part says about itself, once its workers poll.
    fn ready(&self, part: &str) -> anyhow::Result<Ready> {
        let file = self.ready_file(part);
        anyhow::ensure!(file.exists(), "it has not written its ready file");
        read_json(&file)
    }

    fn server_address(&self) -> Option<String> {
        self.ready(Server::NAME).ok()?.address
    }

    fn target(&self) -> Target {
        Target::plain(self.temporal.shared().address, NAMESPACE)
    }

    /// Whether the server's queue, and the runner's if asked, does work.
    async fn queues_work(&self, runner: bool) -> anyhow::Result<()> {
        let client = connect(&self.target(), "stigmer-e2e").await?;
        let runner = runner.then_some(AGENT_EXECUTION_RUNNER.default);
        Ok(ping(&client, AGENT_EXECUTION_STIGMER.default, runner, ANSWER).await?)
    }

    fn spec(&self, part: &str, program: &Utf8Path) -> Spec {
        let target = self.target();
        Spec::new(part, program, self.folder.join(format!("{part}.log")))
            .env("HOME", self.folder.join("home").as_str())
            .env("STIGMER_READY_FILE", self.ready_file(part).as_str())
            .env("TEMPORAL_SERVICE_ADDRESS", target.address)
            .env("TEMPORAL_NAMESPACE", target.namespace)
    }
}

/// The server of the stack under test, on a port the system chooses.
#[derive(Clone, Debug)]
pub struct Server(Rc<Setting>);

/// The agent-runner of the stack under test.
#[derive(Clone, Debug)]
pub struct AgentRunner {
    setting: Rc<Setting>,
    depends_on: Vec<&'static str>,
}

impl Server {
    /// Its name in reports.
    pub const NAME: &str = "stigmer-server";

    /// A server on `temporal`, and the agent-runner that belongs to it and asks `model`. Their data,
    /// logs, and HOME are in `folder`.
    pub fn with_runner(
        stack: &Stack,
        temporal: &Temporal,
        model: &Model,
        folder: &Utf8Path,
    ) -> (Self, AgentRunner) {
        let (stack, temporal, model, folder) = (
            stack.clone(),
            temporal.clone(),
            model.clone(),
            folder.to_owned(),
        );
        let mut depends_on = vec![Self::NAME];
        depends_on.extend(matches!(model, Model::Pinned(_)).then_some(LlamaCpp::NAME));
        let setting = Rc::new(Setting {
            stack,
            temporal,
            model,
            folder,
        });
        (
            Self(setting.clone()),
            AgentRunner {
                setting,
                depends_on,
            },
        )
    }
}

impl Service for Server {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn depends_on(&self) -> &[&str] {
        &[Temporal::NAME]
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
            server_answers(&address, true).await?;
            setting.queues_work(false).await
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
        &self.depends_on
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let setting = &self.setting;
        let spec = setting.spec(Self::NAME, &setting.stack.agent_runner).env(
            "STIGMER_BACKEND_ENDPOINT",
            setting.server_address().unwrap_or_default(),
        );
        Ok(match setting.model.shared() {
            Some(llm) => spec
                .env("STIGMER_LLM_BASE_URL", llm.base_url)
                .env("STIGMER_LLM_MODEL", llm.model),
            None => spec,
        })
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let setting = self.setting.clone();
        readiness(async move {
            setting.ready(Self::NAME)?;
            setting.queues_work(true).await
        })
    }
}

fn readiness(
    look: impl Future<Output = anyhow::Result<()>> + 'static,
) -> LocalBoxFuture<'static, Readiness> {
    Box::pin(async move {
        match look.await {
            Ok(()) => Readiness::Ready,
            Err(error) => Readiness::NotYet(format!("{error:#}")),
        }
    })
}
