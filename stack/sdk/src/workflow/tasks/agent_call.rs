//! AGENT_CALL.

use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::{agent_ref::AgentRef, draft::Draft};

/// The time limit, in seconds, of a call that chooses a model or a temperature but no limit: the
/// contract has no config without one.
const TIMEOUT_SECONDS: u32 = 300;

/// Gives an agent a message. Its output is the agent's answer.
#[derive(Clone, Debug)]
pub struct AgentCall(Draft);

becomes_task!(AgentCall);

impl AgentCall {
    /// A call of `agent`: an [`Agent`](crate::Agent) of this program, a slug, or an [`AgentRef`].
    pub fn new(
        name: impl Into<String>,
        agent: impl Into<AgentRef>,
        message: impl Into<String>,
    ) -> Self {
        let agent = agent.into();
        let mut draft = Draft::new(name, WorkflowTaskKind::AgentCall)
            .with("agent", agent.slug())
            .with("message", message.into());
        if let Some(scope) = agent.chosen_scope() {
            draft = draft.with("scope", scope.name());
        }
        Self(draft)
    }

    /// Gives the agent an environment variable.
    #[must_use]
    pub fn env(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self(self.0.with_entry("env", name.into(), value.into()))
    }

    /// Which model answers, instead of the agent's own.
    #[must_use]
    pub fn model(self, model: impl Into<String>) -> Self {
        let model = model.into();
        Self(
            self.configured()
                .with_entry("config", "model".to_owned(), model),
        )
    }

    /// How free the model is: 0 to 1.
    #[must_use]
    pub fn temperature(self, temperature: f64) -> Self {
        let key = "temperature".to_owned();
        Self(self.configured().with_entry("config", key, temperature))
    }

    /// How long the agent may take: 1 to 3600 seconds.
    #[must_use]
    pub fn timeout_seconds(self, seconds: u32) -> Self {
        Self(self.0.with_entry("config", "timeout".to_owned(), seconds))
    }

    fn configured(self) -> Draft {
        match self.0.config.contains_key("config") {
            true => self.0,
            false => self.timeout_seconds(TIMEOUT_SECONDS).0,
        }
    }
}
