//! A stack to play with on the shared services: what `up` adds to them.

use std::{rc::Rc, time::Duration};

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::LocalBoxFuture;
use stigmer_e2e_plan::{Stack, read_json};
use stigmer_process::Ready;
use stigmer_temporal::{Encryption, Keys, Target, connect, ping};

use super::{LlamaCpp, Model, Temporal, server_answers};
use crate::supervise::{Readiness, Service, Spec};

/// How long a part may take to answer one question.
const ANSWER: Duration = Duration::from_secs(5);
/// The Temporal namespace of the playground; the dev server creates it.
const NAMESPACE: &str = "default";

/// What all parts share.
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

    fn home(&self) -> Utf8PathBuf {
        self.folder.join("home")
    }

    /// Whether every queue of the server, or of the runner `part` behind the server's, does work.
    async fn queues_work(&self, part: &str) -> anyhow::Result<()> {
        // The answers are encrypted with the key that the parts find in their HOME.
        let key = self.home().join(".stigmer/payload.key");
        let target = Target {
            address: self.temporal.shared().address,
            namespace: NAMESPACE.to_owned(),
            encryption: Encryption::with(Keys::load(key.as_std_path())?),
        };
        let client = connect(&target, "stigmer-e2e").await?;
        let server = self.ready(Server::NAME)?.task_queues;
        if part == Server::NAME {
            for queue in &server {
                ping(&client, queue, None, ANSWER).await?;
            }
            return Ok(());
        }
        let through = server.first().context("the server polls no queue")?;
        for queue in self.ready(part)?.task_queues {
            ping(&client, through, Some(&queue), ANSWER).await?;
        }
        Ok(())
    }

    fn spec(&self, part: &str, program: &Utf8Path) -> Spec {
        Spec::new(part, program, self.folder.join(format!("{part}.log")))
            .env("HOME", self.home().as_str())
            .env("STIGMER_READY_FILE", self.ready_file(part).as_str())
            .env("TEMPORAL_SERVICE_ADDRESS", self.temporal.shared().address)
            .env("TEMPORAL_NAMESPACE", NAMESPACE)
    }
}

/// The server of the stack under test, on a port the system chooses.
#[derive(Clone, Debug)]
pub struct Server(Rc<Setting>);

/// A runner of the stack under test.
#[derive(Clone, Debug)]
pub struct Runner {
    setting: Rc<Setting>,
    kind: RunnerKind,
    depends_on: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum RunnerKind {
    Workflow,
    Agent,
}

impl Server {
    /// Its name in reports.
    pub const NAME: &str = "stigmer-server";

    /// A server on `temporal`, and the runners that belong to it; the agent-runner asks `model`. Their
    /// data, logs, and HOME are in `folder`.
    pub fn with_runners(
        stack: &Stack,
        temporal: &Temporal,
        model: &Model,
        folder: &Utf8Path,
    ) -> (Self, [Runner; 2]) {
        let setting = Rc::new(Setting {
            stack: stack.clone(),
            temporal: temporal.clone(),
            model: model.clone(),
            folder: folder.to_owned(),
        });
        let model = matches!(model, Model::Pinned(_)).then_some(LlamaCpp::NAME);
        let runner = |kind, needs: Option<&'static str>| Runner {
            setting: setting.clone(),
            kind,
            depends_on: std::iter::once(Self::NAME).chain(needs).collect(),
        };
        let runners = [
            runner(RunnerKind::Workflow, None),
            runner(RunnerKind::Agent, model),
        ];
        (Self(setting), runners)
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
            setting.queues_work(Self::NAME).await
        })
    }

    fn address(&self) -> Option<String> {
        self.0.server_address()
    }
}

impl RunnerKind {
    fn name(self) -> &'static str {
        match self {
            Self::Workflow => "stigmer-workflow-runner",
            Self::Agent => "stigmer-agent-runner",
        }
    }

    fn program(self, stack: &Stack) -> &Utf8Path {
        match self {
            Self::Workflow => &stack.workflow_runner,
            Self::Agent => &stack.agent_runner,
        }
    }
}

impl Service for Runner {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn depends_on(&self) -> &[&str] {
        &self.depends_on
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let setting = &self.setting;
        let program = self.kind.program(&setting.stack);
        let spec = setting.spec(self.kind.name(), program).env(
            "STIGMER_BACKEND_ENDPOINT",
            setting.server_address().unwrap_or_default(),
        );
        Ok(match (self.kind, setting.model.shared()) {
            (RunnerKind::Agent, Some(llm)) => spec
                .env("STIGMER_LLM_BASE_URL", llm.base_url)
                .env("STIGMER_LLM_MODEL", llm.model),
            _ => spec,
        })
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let (setting, name) = (self.setting.clone(), self.kind.name());
        readiness(async move {
            setting.ready(name)?;
            setting.queues_work(name).await
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
