//! The secrets of an execution do not leave the server. Every answer passes through here, and so
//! does what is handed to Temporal, where payloads are stored in the clear.

use std::collections::HashMap;

use stigmer_api::{
    agent::Agent,
    agent_execution::{AgentExecution, AgentExecutionList},
    agent_instance::{AgentInstance, AgentInstanceList},
    environment::Environment,
    execution_context::{ExecutionContext, ExecutionValue},
    mcp_server::McpServer,
    session::{Session, SessionList},
    skill::{GetArtifactResponse, Skill},
};

/// What a secret value reads as.
pub const HIDDEN: &str = "***";

/// A message that can leave the server once its secrets are hidden.
pub trait Outgoing: Sized {
    /// The message with every secret value replaced by [`HIDDEN`].
    fn masked(self) -> Self;
}

macro_rules! without_secrets {
    ($($message:ty),* $(,)?) => {$(
        impl Outgoing for $message {
            fn masked(self) -> Self {
                self
            }
        }
    )*};
}

without_secrets!(
    Agent,
    AgentInstance,
    AgentInstanceList,
    GetArtifactResponse,
    McpServer,
    Session,
    SessionList,
    Skill,
    // These hold values for runners, which read them here and nowhere else.
    Environment,
    ExecutionContext,
);

impl Outgoing for AgentExecution {
    fn masked(mut self) -> Self {
        if let Some(spec) = &mut self.spec {
            hide(&mut spec.runtime_env);
        }
        self
    }
}

impl Outgoing for AgentExecutionList {
    fn masked(mut self) -> Self {
        self.entries = self.entries.into_iter().map(Outgoing::masked).collect();
        self
    }
}

/// Hides the secret values of a runtime environment.
pub fn hide(values: &mut HashMap<String, ExecutionValue>) {
    for value in values.values_mut().filter(|value| value.is_secret) {
        value.value = HIDDEN.to_owned();
    }
}

/// Puts back the stored value of every secret that came back hidden.
pub fn restore(
    values: &mut HashMap<String, ExecutionValue>,
    stored: &HashMap<String, ExecutionValue>,
) {
    for (name, value) in values {
        if value.is_secret
            && value.value == HIDDEN
            && let Some(known) = stored.get(name).filter(|known| known.is_secret)
        {
            value.value.clone_from(&known.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{Resource as _, agent_execution::AgentExecutionSpec};

    use super::*;

    fn env(entries: &[(&str, &str, bool)]) -> HashMap<String, ExecutionValue> {
        entries
            .iter()
            .map(|&(name, value, is_secret)| {
                (
                    name.to_owned(),
                    ExecutionValue {
                        value: value.to_owned(),
                        is_secret,
                    },
                )
            })
            .collect()
    }

    #[test]
    fn only_secret_values_are_hidden() {
        let mut execution = AgentExecution::envelope();
        execution.spec = Some(AgentExecutionSpec {
            runtime_env: env(&[("A", "1", false), ("B", "marker", true)]),
            ..Default::default()
        });
        let list = AgentExecutionList {
            total_pages: 1,
            entries: vec![execution.clone()],
        };
        for masked in [execution.masked(), list.masked().entries.remove(0)] {
            let spec = masked.spec.unwrap();
            assert_eq!(
                spec.runtime_env,
                env(&[("A", "1", false), ("B", HIDDEN, true)])
            );
        }
    }

    #[test]
    fn a_hidden_value_sent_back_keeps_the_stored_one() {
        let stored = env(&[
            ("KEEP", "old", true),
            ("CHANGE", "old", true),
            ("OPEN", "old", false),
        ]);
        let mut values = env(&[
            ("KEEP", HIDDEN, true),
            ("CHANGE", "new", true),
            ("OPEN", HIDDEN, true),
        ]);
        restore(&mut values, &stored);
        assert_eq!(
            values,
            env(&[
                ("KEEP", "old", true),
                ("CHANGE", "new", true),
                ("OPEN", HIDDEN, true)
            ])
        );
    }
}
