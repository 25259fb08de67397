//! Calls of agents: an agent execution is created, and the server answers when it has ended.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value as Json;
use stigmer_api::{
    ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference, Resource as _,
    agent_execution::{AgentExecution, AgentExecutionSpec, ExecutionConfig},
    annotation::{EXECUTION_TEMPERATURE, EXECUTION_TIMEOUT_SECONDS},
    execution_context::ExecutionValue,
};

use super::failure::CallError;
use crate::{
    backend::Backend,
    engine::{model::AgentCall, secrets::Environment},
};

/// The type of every error here.
const KIND: &str = "CallAgent error";

/// Has the agent begin to answer; the activity of `token` gets the answer. `limit` is how long that
/// is waited for.
pub(super) async fn call(
    backend: &Backend,
    call: &AgentCall,
    environment: &Environment,
    token: Vec<u8>,
    limit: Duration,
) -> Result<(), CallError> {
    if environment.org.is_empty() {
        return Err(CallError::fatal(
            KIND,
            "organization ID not available in workflow execution context",
        ));
    }
    let scope = match call.scope.as_deref() {
        None => ApiResourceOwnerScope::Unspecified,
        Some(name) => ApiResourceOwnerScope::from_str_name(name)
            .ok_or_else(|| CallError::fatal(KIND, format!("{name:?} is not a scope")))?,
    };
    let reference = ApiResourceReference {
        scope: scope as i32,
        org: environment.org.clone(),
        kind: ApiResourceKind::Agent as i32,
        slug: call.agent.clone(),
        version: String::new(),
    };
    let agent = backend
        .agent_by_reference(reference)
        .await
        .map_err(|error| {
            CallError::fatal(
                KIND,
                format!(
                    "agent '{}' not found: getByReference failed: {error}",
                    call.agent
                ),
            )
        })?;
    let execution = execution(call, agent.id(), environment, token, limit)?;
    backend
        .create_agent_execution(execution)
        .await
        .map_err(|error| {
            CallError::fatal(
                KIND,
                format!("agent '{}' cannot be called: {error}", call.agent),
            )
        })
}

fn execution(
    call: &AgentCall,
    agent_id: &str,
    environment: &Environment,
    token: Vec<u8>,
    limit: Duration,
) -> Result<AgentExecution, CallError> {
    let config = call.config.clone().unwrap_or_default();
    let mut execution = AgentExecution::envelope();
    let metadata = execution.metadata_mut();
    metadata.name = name(&call.agent);
    metadata.annotations.insert(
        EXECUTION_TIMEOUT_SECONDS.to_owned(),
        limit.as_secs_f64().round().to_string(),
    );
    if let Some(temperature) = config.temperature {
        metadata
            .annotations
            .insert(EXECUTION_TEMPERATURE.to_owned(), temperature.to_string());
    }
    execution.spec = Some(AgentExecutionSpec {
        agent_id: agent_id.to_owned(),
        message: environment.reveal_text(&call.message),
        execution_config: config
            .model
            .map(|model_name| ExecutionConfig { model_name }),
        runtime_env: runtime_env(&call.env, environment)?,
        callback_token: token,
        ..Default::default()
    });
    Ok(execution)
}

/// What is made from a secret is one.
fn runtime_env(
    given: &BTreeMap<String, Json>,
    environment: &Environment,
) -> Result<std::collections::HashMap<String, ExecutionValue>, CallError> {
    let value = |(key, value): (&String, &Json)| {
        let text = match value {
            Json::String(text) => text.clone(),
            Json::Number(_) | Json::Bool(_) => value.to_string(),
            _ => {
                return Err(CallError::fatal(
                    KIND,
                    format!("env {key} must be a text, a number or a boolean"),
                ));
            }
        };
        let value = environment.reveal_text(&text);
        Ok((
            key.clone(),
            ExecutionValue {
                is_secret: value != text,
                value,
            },
        ))
    };
    given.iter().map(value).collect()
}

/// `<agent>-execution-<digits>`, which no two calls share: microseconds and five random digits.
fn name(agent: &str) -> String {
    let micros = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_micros());
    // Keys of the standard hasher are random, which is all that is needed here.
    let random = RandomState::new().hash_one(agent) % 100_000;
    format!("{agent}-execution-{micros}{random:05}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{model::AgentConfig, secrets::Entry};

    fn environment() -> Environment {
        let token = Entry {
            value: "tok-12345678".to_owned(),
            is_secret: true,
        };
        Environment {
            entries: BTreeMap::from([("TOKEN".to_owned(), token)]),
            org: "local".to_owned(),
            marker: "0123456789abcdef".to_owned(),
        }
    }

    fn agent_call(environment: &Environment) -> AgentCall {
        let marker = environment.placeholders()["TOKEN"].clone();
        AgentCall {
            agent: "code-reviewer".to_owned(),
            message: format!("use {marker}"),
            scope: None,
            env: BTreeMap::from([
                ("T".to_owned(), Json::from(marker)),
                ("N".to_owned(), Json::from(5)),
            ]),
            config: Some(AgentConfig {
                model: Some("m".to_owned()),
                timeout: Some(15),
                temperature: Some(0.0),
            }),
        }
    }

    #[test]
    fn an_execution_has_the_revealed_message_and_the_agents_settings() {
        let environment = environment();
        let execution = execution(
            &agent_call(&environment),
            "agt-1",
            &environment,
            b"token".to_vec(),
            Duration::from_secs(15),
        )
        .unwrap();
        let spec = execution.spec.clone().unwrap();
        assert_eq!(
            (spec.agent_id.as_str(), spec.message.as_str()),
            ("agt-1", "use tok-12345678")
        );
        assert_eq!(
            spec.runtime_env["T"],
            ExecutionValue {
                value: "tok-12345678".into(),
                is_secret: true
            }
        );
        assert_eq!(
            spec.runtime_env["N"],
            ExecutionValue {
                value: "5".into(),
                is_secret: false
            }
        );
        assert_eq!(
            (
                spec.callback_token.as_slice(),
                spec.execution_config.unwrap().model_name.as_str()
            ),
            (&b"token"[..], "m")
        );
        let annotations = &execution.metadata.as_ref().unwrap().annotations;
        assert_eq!(
            (
                annotations[EXECUTION_TEMPERATURE].as_str(),
                annotations[EXECUTION_TIMEOUT_SECONDS].as_str()
            ),
            ("0", "15")
        );
    }

    #[test]
    fn names_are_digits_after_the_agent_and_never_the_same() {
        let (a, b) = (name("code-reviewer"), name("code-reviewer"));
        assert_ne!(a, b);
        let digits = a.strip_prefix("code-reviewer-execution-").unwrap();
        assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{a}");
    }

    #[test]
    fn an_environment_variable_is_a_scalar() {
        let environment = environment();
        let given = BTreeMap::from([("L".to_owned(), serde_json::json!([1]))]);
        assert_eq!(
            runtime_env(&given, &environment).unwrap_err().message,
            "env L must be a text, a number or a boolean"
        );
    }
}
