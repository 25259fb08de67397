//! Agents: an author's name, a spec, and a default instance that lives and dies with the agent.

use stigmer_api::{Resource, agent::Agent, slug};

use super::{Kind, default_instance};
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
