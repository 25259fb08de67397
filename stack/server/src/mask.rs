//! Secrets do not leave the server by its API: every answer passes through here. Runners get them in
//! the encrypted payload of their work.

use std::collections::HashMap;

use stigmer_api::{
    agent::{Agent, AgentList},
    agent_execution::{AgentExecution, AgentExecutionList},
    agent_instance::{AgentInstance, AgentInstanceList},
    environment::{Environment, EnvironmentValue},
    execution_context::{ExecutionContext, ExecutionValue},
    mcp_server::McpServer,
    session::{Session, SessionList},
    skill::{GetArtifactResponse, Skill},
    workflow::{Workflow, WorkflowList},
    workflow_execution::{WorkflowExecution, WorkflowExecutionList},
    workflow_instance::{WorkflowInstance, WorkflowInstanceList},
};

/// What a secret value reads as.
pub const HIDDEN: &str = "***";

/// A message that can leave the server once its secrets are hidden.
pub trait Outgoing: Sized {
    /// The message with every secret value replaced by [`HIDDEN`].
    fn masked(self) -> Self;
}

/// A resource that may hold secrets. They are hidden from readers, and sealed in the store.
pub trait Secrets: Clone {
    /// The secret values, those that are empty included.
    fn secret_values(&mut self) -> Vec<&mut String> {
        Vec::new()
    }

    /// Puts back the `stored` value of every secret that a client read hidden and sent back hidden.
    fn restore(&mut self, _stored: &Self) {}
}

/// A variable that may be secret.
trait Variable {
    /// Its value, if that is secret and there is one: what is only declared has none.
    fn secret(&mut self) -> Option<&mut String>;
}

macro_rules! variables {
    ($($variable:ident),*) => {$(
        impl Variable for $variable {
            fn secret(&mut self) -> Option<&mut String> {
                (self.is_secret && !self.value.is_empty()).then_some(&mut self.value)
            }
        }
    )*};
}

macro_rules! secrets {
    ($($resource:ident => $variables:expr;)*) => {$(
        impl Secrets for $resource {
            fn secret_values(&mut self) -> Vec<&mut String> {
                secret_values(variables_of(self, $variables))
            }

            fn restore(&mut self, stored: &Self) {
                let mut stored = stored.clone();
                restore(variables_of(self, $variables), variables_of(&mut stored, $variables));
            }
        }
    )*};
}

macro_rules! without_secrets {
    ($($resource:ident),*) => {$(
        impl Secrets for $resource {}
    )*};
}

macro_rules! lists {
    ($($list:ident of $entries:ident;)*) => {$(
        impl Outgoing for $list {
            fn masked(mut self) -> Self {
                self.$entries.iter_mut().for_each(hide);
                self
            }
        }
    )*};
}

variables!(EnvironmentValue, ExecutionValue);

secrets! {
    Agent => |agent| Some(&mut agent.spec.as_mut()?.env_spec.as_mut()?.data);
    AgentExecution => |execution| Some(&mut execution.spec.as_mut()?.runtime_env);
    Environment => |environment| Some(&mut environment.spec.as_mut()?.data);
    ExecutionContext => |context| Some(&mut context.spec.as_mut()?.data);
    McpServer => |server| Some(&mut server.spec.as_mut()?.env_spec.as_mut()?.data);
    Workflow => |workflow| Some(&mut workflow.spec.as_mut()?.env_spec.as_mut()?.data);
    WorkflowExecution => |execution| Some(&mut execution.spec.as_mut()?.runtime_env);
}

without_secrets!(AgentInstance, Session, Skill, WorkflowInstance);

impl<R: Secrets> Outgoing for R {
    fn masked(mut self) -> Self {
        hide(&mut self);
        self
    }
}

lists! {
    AgentExecutionList of entries;
    AgentInstanceList of items;
    AgentList of entries;
    SessionList of entries;
    WorkflowExecutionList of entries;
    WorkflowInstanceList of entries;
    WorkflowList of entries;
}

impl Outgoing for GetArtifactResponse {
    fn masked(self) -> Self {
        self
    }
}

type Variables<V> = HashMap<String, V>;

/// Gives the closure its types.
fn variables_of<R, V>(
    resource: &mut R,
    variables: impl FnOnce(&mut R) -> Option<&mut Variables<V>>,
) -> Option<&mut Variables<V>> {
    variables(resource)
}

fn secret_values<V: Variable>(variables: Option<&mut Variables<V>>) -> Vec<&mut String> {
    let variables = variables.into_iter().flat_map(HashMap::values_mut);
    variables.filter_map(Variable::secret).collect()
}

fn hide<R: Secrets>(resource: &mut R) {
    stigmer_fault::inject!(MaskOff, { return });
    // What has no value is a declaration, and tells nothing.
    let values = resource.secret_values().into_iter();
    for value in values.filter(|value| !value.is_empty()) {
        HIDDEN.clone_into(value);
    }
}

fn restore<V: Variable>(variables: Option<&mut Variables<V>>, stored: Option<&mut Variables<V>>) {
    let (Some(variables), Some(stored)) = (variables, stored) else {
        return;
    };
    for (name, variable) in variables {
        if let Some(value) = variable.secret()
            && value == HIDDEN
            && let Some(known) = stored.get_mut(name).and_then(Variable::secret)
        {
            value.clone_from(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        Resource as _, agent_execution::AgentExecutionSpec, environment::EnvironmentSpec,
    };

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
    fn declared_secrets_are_hidden_and_kept_too() {
        let value = |value: &str, is_secret| EnvironmentValue {
            value: value.to_owned(),
            is_secret,
            ..Default::default()
        };
        let stored = Environment {
            spec: Some(EnvironmentSpec {
                data: HashMap::from([
                    ("A".to_owned(), value("1", false)),
                    ("B".to_owned(), value("marker", true)),
                    ("C".to_owned(), value("", true)),
                ]),
                ..Default::default()
            }),
            ..Environment::envelope()
        };
        let mut sent_back = stored.clone().masked();
        let data = &sent_back.spec.as_ref().unwrap().data;
        let shown = ["A", "B", "C"].map(|name| data[name].value.as_str());
        assert_eq!(shown, ["1", HIDDEN, ""]);
        sent_back.restore(&stored);
        assert_eq!(sent_back, stored);
        // Without variables there is nothing to do.
        assert_eq!(Agent::envelope().masked(), Agent::envelope());
    }

    #[test]
    fn a_hidden_value_sent_back_keeps_the_stored_one() {
        let mut stored = env(&[
            ("KEEP", "old", true),
            ("CHANGE", "old", true),
            ("OPEN", "old", false),
        ]);
        let mut values = env(&[
            ("KEEP", HIDDEN, true),
            ("CHANGE", "new", true),
            ("OPEN", HIDDEN, true),
        ]);
        restore(Some(&mut values), Some(&mut stored));
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
