//! The environment of an execution: the defaults that its agent or workflow declares, then the
//! environments that its instance refers to, in their order, then what its caller gave. The later
//! one wins. A variable that any of them calls secret is secret.
//!
//! An empty value is a declaration without a value, except when the caller gave it.

use std::collections::{HashMap, HashSet};

use stigmer_api::{
    ApiResourceReference, Resource,
    agent::Agent,
    agent_execution::AgentExecution,
    agent_instance::AgentInstance,
    environment::{Environment, EnvironmentSpec},
    execution_context::ExecutionValue,
    session::Session,
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
    workflow_instance::WorkflowInstance,
};

use super::Execution;
use crate::{
    pipeline::{AtStep as _, Cause, StepError},
    store::{Indexed as _, Rows},
};

const STEP: &str = "ResolveEnvironment";

/// An execution whose environment comes from what it runs.
pub trait HasEnvironment {
    /// Where the environment comes from. What is missing on the way to it, such as a session that was
    /// deleted, is left out: the runner meets the same and says so.
    fn sources(&self, rows: &Rows<'_>) -> Result<Sources, StepError>;
}

/// Where an environment comes from, besides the caller.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// What the agent or workflow declares.
    declared: Option<EnvironmentSpec>,
    /// The instance, for errors.
    instance: String,
    /// Its org, in which references without one are looked up.
    org: String,
    /// Its environments.
    references: Vec<ApiResourceReference>,
}

/// Gives `execution`, on its way to a runner, its whole environment in place of what its caller gave.
///
/// # Errors
///
/// When the instance refers to an environment that does not exist (FAILED_PRECONDITION), or the store
/// fails.
pub(super) fn resolve<E: Execution>(rows: &Rows<'_>, execution: &mut E) -> Result<(), StepError> {
    let layers = layers(rows, execution.sources(rows)?)?;
    let given = execution.runtime_env_mut();
    *given = merge(layers, std::mem::take(given));
    Ok(())
}

/// Marks as secret what the caller gave for variables that are declared secret, so that no reader of
/// the record sees it.
///
/// # Errors
///
/// As [`resolve`].
pub fn mark_secrets<E: Execution>(rows: &Rows<'_>, execution: &mut E) -> Result<(), StepError> {
    if execution.runtime_env_mut().is_empty() {
        return Ok(());
    }
    let layers = layers(rows, execution.sources(rows)?)?;
    let secret = secret_names(&layers);
    for (name, value) in execution.runtime_env_mut() {
        value.is_secret |= secret.contains(name.as_str());
    }
    Ok(())
}

impl HasEnvironment for AgentExecution {
    fn sources(&self, rows: &Rows<'_>) -> Result<Sources, StepError> {
        let Some(session) = rows.load::<Session>(self.parent()).at(STEP)? else {
            return Ok(Sources::default());
        };
        let Some(instance) = rows.load::<AgentInstance>(session.parent()).at(STEP)? else {
            return Ok(Sources::default());
        };
        let agent = rows.load::<Agent>(instance.parent()).at(STEP)?;
        let references = instance.spec.clone().unwrap_or_default().environment_refs;
        Ok(Sources {
            declared: agent.and_then(|agent| agent.spec?.env_spec),
            ..Sources::of_instance(&instance, references)
        })
    }
}

impl HasEnvironment for WorkflowExecution {
    fn sources(&self, rows: &Rows<'_>) -> Result<Sources, StepError> {
        let Some(instance) = rows.load::<WorkflowInstance>(self.parent()).at(STEP)? else {
            return Ok(Sources::default());
        };
        let workflow = rows.load::<Workflow>(instance.parent()).at(STEP)?;
        let references = instance.spec.clone().unwrap_or_default().env_refs;
        Ok(Sources {
            declared: workflow.and_then(|workflow| workflow.spec?.env_spec),
            ..Sources::of_instance(&instance, references)
        })
    }
}

impl Sources {
    fn of_instance<I: Resource>(instance: &I, references: Vec<ApiResourceReference>) -> Self {
        Self {
            declared: None,
            instance: format!("{} {:?}", I::kind_name(), instance.name()),
            org: instance
                .metadata()
                .map_or_else(String::new, |metadata| metadata.org.clone()),
            references,
        }
    }
}

/// The environments behind `sources`, the weakest first.
fn layers(rows: &Rows<'_>, sources: Sources) -> Result<Vec<EnvironmentSpec>, StepError> {
    let mut layers = Vec::from_iter(sources.declared);
    for reference in &sources.references {
        let org = match reference.org.as_str() {
            "" => &sources.org,
            org => org,
        };
        let environment: Option<Environment> = rows
            .resolve(org, reference.scope, &reference.slug)
            .at(STEP)?;
        let Some(environment) = environment else {
            let cause = format!(
                "{} refers to environment {:?} of org {org:?}, which does not exist; create it or take the reference out",
                sources.instance, reference.slug
            );
            return Err(Cause::Precondition(cause)).at(STEP);
        };
        layers.extend(environment.spec);
    }
    Ok(layers)
}

fn merge(
    layers: Vec<EnvironmentSpec>,
    given: HashMap<String, ExecutionValue>,
) -> HashMap<String, ExecutionValue> {
    let secret = secret_names(&layers)
        .into_iter()
        .map(str::to_owned)
        .collect::<HashSet<_>>();
    let declared = layers
        .into_iter()
        .flat_map(|layer| layer.data)
        .filter(|(_, value)| !value.value.is_empty())
        .map(|(name, value)| {
            let value = ExecutionValue {
                value: value.value,
                is_secret: value.is_secret,
            };
            (name, value)
        });
    stigmer_fault::inject!(EnvironmentReversed, {
        return given.into_iter().chain(declared).collect();
    });
    let mut merged = declared.chain(given).collect::<HashMap<_, _>>();
    for (name, value) in &mut merged {
        value.is_secret |= secret.contains(name);
    }
    merged
}

fn secret_names(layers: &[EnvironmentSpec]) -> HashSet<&str> {
    layers
        .iter()
        .flat_map(|layer| &layer.data)
        .filter(|(_, value)| value.is_secret)
        .map(|(name, _)| name.as_str())
        .collect()
}

#[cfg(test)]
mod tests;
