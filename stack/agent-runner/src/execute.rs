//! One agent's turn, from the execution to its last status.

use std::{sync::Arc, time::Duration};

use futures::future::try_join;
use stigmer_api::{
    Resource,
    agent::AgentSpec,
    agent_execution::{AgentExecution, AgentExecutionStatus},
};
use stigmer_runner::ServerError;
use tokio::time::timeout;

use crate::{
    backend::Backend,
    conversation,
    environment::Environment,
    llm::LlmClient,
    options::{OptionError, Options},
    report::{Record, ReportError, Reporter},
    resources::Resources,
    settings::AgentSettings,
    transcript::{Speaker, Transcript},
    turn::{Budget, TurnContext, TurnError},
    workspace::WorkspaceError,
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
    /// What agents may do.
    pub agents: AgentSettings,
}

/// Why a turn is given up before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupt {
    /// Temporal cancelled the activity.
    #[error("the execution was cancelled")]
    Cancelled,
    /// Temporal no longer waits for this attempt. How the execution goes on, or ended, others say.
    #[error("this attempt was given up")]
    GivenUp,
    /// This process was asked to stop.
    #[error("the agent-runner was stopped while it worked on the execution; run it again")]
    Stopping,
}

/// Why an execution has no answer.
#[derive(Debug, thiserror::Error)]
enum ExecutionError {
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
    Backend(#[from] ServerError),
    #[error(transparent)]
    Options(#[from] OptionError),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Turn(#[from] TurnError),
    #[error("the turn took longer than {} s, the time an execution has", .0.as_secs())]
    TimedOut(Duration),
    #[error(transparent)]
    Interrupted(Interrupt),
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
            interrupt = interrupt => Err(ExecutionError::Interrupted(interrupt)),
            ended = self.run(execution, limit, reporter.record()) => ended,
        };
        if let Err(ExecutionError::Interrupted(interrupt @ Interrupt::GivenUp)) = ended {
            return Err(ReportError::Over(interrupt.to_string()));
        }
        let patience = match ended {
            Err(ExecutionError::Interrupted(_)) => LAST_STATUS_WHEN_INTERRUPTED,
            _ => LAST_STATUS,
        };
        if let Err(error) = &ended {
            tracing::warn!(execution = execution.id(), %error, "execution ended without an answer");
        }
        reporter.record().update(|transcript| match &ended {
            Ok(()) => transcript.complete(),
            Err(ExecutionError::Interrupted(Interrupt::Cancelled)) => transcript.cancel(),
            Err(error) => transcript.fail(&error.to_string()),
        });
        let record = reporter.record().clone();
        match (reporter.finish(patience).await, &ended) {
            // Whoever cancelled the execution has stored that, and may take nothing more.
            (Err(ReportError::Over(_)), Err(ExecutionError::Interrupted(Interrupt::Cancelled))) => {
                Ok(record.status())
            }
            (reported, _) => reported,
        }
    }

    /// Runs the turn within the time that it has.
    async fn run(
        &self,
        execution: &AgentExecution,
        limit: Duration,
        record: &Record,
    ) -> Result<(), ExecutionError> {
        let options = Options::of(execution)?;
        let limit = options.timeout.map_or(limit, |timeout| timeout.min(limit));
        let turn = self.turn(execution, options, record);
        timeout(limit, turn)
            .await
            .unwrap_or(Err(ExecutionError::TimedOut(limit)))
    }

    /// Looks up the agent, gets what it needs, and lets it work. Dropping the future ends everything
    /// that was started for it.
    async fn turn(
        &self,
        execution: &AgentExecution,
        options: Options,
        record: &Record,
    ) -> Result<(), ExecutionError> {
        let spec = execution.spec.as_ref().ok_or(ExecutionError::NoSpec)?;
        stigmer_fault::inject!(SecretLogged, {
            tracing::info!(variables = ?spec.runtime_env, "variables of the execution");
        });
        if spec.session_id.is_empty() {
            return Err(ExecutionError::NoSession);
        }
        let session = async { Ok(self.backend.session_executions(&spec.session_id).await?) };
        let (agent, session) = try_join(self.agent_of(&spec.session_id), session).await?;
        let model = options.model;
        let context = TurnContext {
            llm: self.llm.clone(),
            model: model.unwrap_or_else(|| self.llm.default_model().to_owned()),
            temperature: options.temperature,
            budget: Arc::new(Budget::new(self.agents.max_turns)),
            environment: Arc::new(Environment::new(&spec.runtime_env)),
            record: record.clone(),
        };
        let (root, limits) = (&self.agents.workspace_root, &self.agents.mcp);
        let resources = Resources::acquire(&agent, &self.backend, &context, root, limits).await?;
        record.update(|transcript| {
            let warnings = resources.warnings.iter();
            warnings.for_each(|warning| transcript.warn(warning));
        });
        let messages = conversation::messages(&resources.instructions, &session, execution);
        let ended = context
            .run(&Speaker::Agent, messages, &resources.tools)
            .await;
        resources.release().await;
        ended?;
        tracing::info!(
            execution = execution.id(),
            model = context.model,
            "execution completed"
        );
        Ok(())
    }

    async fn agent_of(&self, session_id: &str) -> Result<AgentSpec, ExecutionError> {
        let session = self.backend.session(session_id).await?;
        let instance_id = session
            .spec
            .map(|spec| spec.agent_instance_id)
            .filter(|id| !id.is_empty());
        let instance_id =
            instance_id.ok_or_else(|| ExecutionError::NoInstance(session_id.to_owned()))?;
        let instance = self.backend.agent_instance(&instance_id).await?;
        let agent_id = instance
            .spec
            .map(|spec| spec.agent_id)
            .filter(|id| !id.is_empty());
        let agent = self
            .backend
            .agent(&agent_id.ok_or(ExecutionError::NoAgent(instance_id))?)
            .await?;
        Ok(agent.spec.unwrap_or_default())
    }
}
