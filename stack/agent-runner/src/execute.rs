//! One agent's turn, from the execution to its last status.

use std::time::Duration;

use futures::future::try_join;
use stigmer_api::{
    Resource,
    agent::AgentSpec,
    agent_execution::{AgentExecution, AgentExecutionSpec, AgentExecutionStatus},
};
use tokio::time::timeout;

use crate::{
    backend::{Backend, BackendError},
    conversation,
    llm::{ChatMessage, LlmClient, LlmError},
    report::{ReportError, Reporter},
    transcript::Transcript,
};

/// How long the server may take to store the last status.
const LAST_STATUS: Duration = Duration::from_secs(60);

/// The same for a turn that is given up: somebody is waiting for its end.
const LAST_STATUS_WHEN_INTERRUPTED: Duration = Duration::from_secs(1);

/// Runs turns.
pub struct Executor {
    /// The server.
    pub backend: Backend,
    /// The model.
    pub llm: LlmClient,
}

/// Why a turn is given up before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupt {
    /// Temporal cancelled the activity.
    #[error("the execution was cancelled")]
    Cancelled,
    /// This process was asked to stop.
    #[error("the agent-runner was stopped while it worked on the execution; run it again")]
    Stopping,
}

/// Why a turn has no answer.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error("the execution has no spec; create it through stigmer-server")]
    NoSpec,
    #[error(
        "Session ID is required: the execution names no session; stigmer-server sets one when it creates an execution"
    )]
    NoSession,
    #[error("session {0:?} names no agent instance; recreate the session")]
    NoInstance(String),
    #[error("agent instance {0:?} names no agent; recreate the instance")]
    NoAgent(String),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Llm(#[from] LlmError),
    #[error("the turn took longer than {} s, the time an execution has", .0.as_secs())]
    TimedOut(Duration),
    #[error(transparent)]
    Interrupted(Interrupt),
}

/// What a turn starts from.
struct Turn {
    agent: AgentSpec,
    messages: Vec<ChatMessage>,
}

impl Executor {
    /// Runs the turn of `execution` within `limit`, reporting it while it grows, and returns its last
    /// status once the server has it. A turn that fails is a FAILED status, not an error.
    ///
    /// # Errors
    ///
    /// When the server does not take the status.
    pub async fn execute(
        &self,
        execution: &AgentExecution,
        limit: Duration,
        interrupt: impl Future<Output = Interrupt>,
    ) -> Result<AgentExecutionStatus, ReportError> {
        let message = execution.spec.as_ref().map_or("", |spec| &spec.message);
        let reporter = Reporter::start(
            self.backend.status_of(execution.id()),
            Transcript::begin(message),
        );
        let ended = tokio::select! {
            biased;
            () = reporter.broken() => Ok(()),
            interrupt = interrupt => Err(TurnError::Interrupted(interrupt)),
            turn = timeout(limit, self.turn(execution, &reporter)) => {
                turn.unwrap_or(Err(TurnError::TimedOut(limit)))
            }
        };
        let patience = match ended {
            Err(TurnError::Interrupted(_)) => LAST_STATUS_WHEN_INTERRUPTED,
            _ => LAST_STATUS,
        };
        if let Err(error) = ended {
            tracing::warn!(execution = execution.id(), %error, "execution ended without an answer");
            reporter.update(|transcript| match error {
                TurnError::Interrupted(Interrupt::Cancelled) => transcript.cancel(),
                error => transcript.fail(&error.to_string()),
            });
        }
        reporter.finish(patience).await
    }

    /// Asks the model and lets the transcript grow with its answer.
    async fn turn(&self, execution: &AgentExecution, reporter: &Reporter) -> Result<(), TurnError> {
        let spec = execution.spec.as_ref().ok_or(TurnError::NoSpec)?;
        let turn = self.prepare(spec, execution).await?;
        if let Some(text) = conversation::unsupported(&turn.agent) {
            reporter.update(|transcript| transcript.note(&text));
        }
        let model = self.model_of(spec);
        let mut stream = self.llm.chat(model, &turn.messages).await?;
        let ended = loop {
            match stream.next().await {
                Ok(Some(text)) => reporter.update(|transcript| transcript.append(&text)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        reporter.update(|transcript| {
            stream
                .tool_requests()
                .for_each(|request| transcript.refuse_tool(request));
        });
        ended?;
        let figures = stream.figures();
        tracing::info!(
            execution = execution.id(),
            model,
            ?figures,
            "execution completed"
        );
        reporter.update(|transcript| transcript.complete(model, &figures));
        Ok(())
    }

    /// Looks up the agent and what its session has seen.
    async fn prepare(
        &self,
        spec: &AgentExecutionSpec,
        execution: &AgentExecution,
    ) -> Result<Turn, TurnError> {
        if spec.session_id.is_empty() {
            return Err(TurnError::NoSession);
        }
        let session = async { Ok(self.backend.session_executions(&spec.session_id).await?) };
        let (agent, session) = try_join(self.agent_of(&spec.session_id), session).await?;
        let messages = conversation::messages(&agent, &session, execution);
        Ok(Turn { agent, messages })
    }

    async fn agent_of(&self, session_id: &str) -> Result<AgentSpec, TurnError> {
        let session = self.backend.session(session_id).await?;
        let instance_id = session
            .spec
            .map(|spec| spec.agent_instance_id)
            .filter(|id| !id.is_empty());
        let instance_id =
            instance_id.ok_or_else(|| TurnError::NoInstance(session_id.to_owned()))?;
        let instance = self.backend.agent_instance(&instance_id).await?;
        let agent_id = instance
            .spec
            .map(|spec| spec.agent_id)
            .filter(|id| !id.is_empty());
        let agent = self
            .backend
            .agent(&agent_id.ok_or(TurnError::NoAgent(instance_id))?)
            .await?;
        Ok(agent.spec.unwrap_or_default())
    }

    fn model_of<'a>(&'a self, spec: &'a AgentExecutionSpec) -> &'a str {
        match spec
            .execution_config
            .as_ref()
            .map_or("", |config| &config.model_name)
        {
            "" => self.llm.default_model(),
            model => model,
        }
    }
}
