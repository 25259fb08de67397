//! Agents: an author's name, a spec, and a default instance that lives and dies with the agent.

use stigmer_api::{Resource, agent::Agent, slug};

use super::{Kind, agent_instance};
use crate::{
    pipeline::{AtStep as _, Cause, StepError, steps},
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
        let instance_id = agent_instance::create_default(tx, self)?;
        self.status.get_or_insert_default().default_instance_id = instance_id;
        Ok(())
    }

    fn deleted(&self, tx: &Tx<'_>) -> Result<(), StepError> {
        agent_instance::delete_default(tx, self)
    }
}

/// The agent with this id and the id of its default instance, which is made when it is missing.
pub fn load_with_default_instance(
    tx: &Tx<'_>,
    agent_id: &str,
) -> Result<(Agent, String), StepError> {
    const STEP: &str = "CreateDefaultInstanceIfNeeded";
    let mut agent: Agent = steps::load_by_id(tx, agent_id, STEP)?;
    if let Some(instance_id) = agent_instance::existing_default(tx, &agent)? {
        return Ok((agent, instance_id));
    }
    agent.prepare(tx)?;
    tx.save(&agent).at(STEP)?;
    let instance_id = agent
        .status
        .as_ref()
        .map_or_else(String::new, |s| s.default_instance_id.clone());
    Ok((agent, instance_id))
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
