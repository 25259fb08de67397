//! Agents: an author's name, a spec, and a default instance that lives and dies with the agent.

use stigmer_api::{Resource, agent::Agent, agent_instance::AgentInstance, slug};

use super::{
    Kind,
    default_instance::{self, Instantiable},
};
use crate::{
    pipeline::{Cause, StepError},
    store::Tx,
};

impl Kind for Agent {
    fn check(&self) -> Result<(), Cause> {
        check_name(self.name())?;
        match &self.spec {
            Some(_) => Ok(()),
            None => Err(Cause::invalid("spec", "value is required")),
        }
    }

    fn prepare(&mut self, tx: &Tx<'_>) -> Result<(), StepError> {
        default_instance::create(tx, self)
    }

    fn deleted(&self, tx: &Tx<'_>) -> Result<(), StepError> {
        default_instance::delete(tx, self)
    }
}

impl Instantiable for Agent {
    type Instance = AgentInstance;

    fn default_instance_id(&self) -> &str {
        self.status
            .as_ref()
            .map_or("", |status| &status.default_instance_id)
    }

    fn set_default_instance_id(&mut self, id: String) {
        self.status.get_or_insert_default().default_instance_id = id;
    }

    fn adopt(&self, instance: &mut AgentInstance) {
        let spec = instance.spec.get_or_insert_default();
        self.id().clone_into(&mut spec.agent_id);
        if spec.description.is_empty() {
            spec.description = "Default instance, made together with its agent.".to_owned();
        }
    }
}

/// What authors may call an agent: a slug of at most [`slug::MAX_NAME_LEN`] characters.
fn check_name(name: &str) -> Result<(), Cause> {
    let problem = if name.is_empty() {
        "value is required".to_owned()
    } else if name.chars().count() > slug::MAX_NAME_LEN {
        format!(
            "value length must be at most {} characters",
            slug::MAX_NAME_LEN
        )
    } else if !slug::is_valid(name) {
        format!(
            "{name:?} must be lower-case letters, digits, and hyphens, with no hyphen at either end"
        )
    } else {
        return Ok(());
    };
    Err(Cause::invalid("metadata.name", problem))
}
