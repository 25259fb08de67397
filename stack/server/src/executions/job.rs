//! What the workflow of an execution is started with.

use super::{Execution, Job, environment};
use crate::{
    pipeline::{AtStep as _, Cause, StepError},
    store::{Rows, is_sealed},
};

/// The job of an accepted execution: the message that travels to its runner through Temporal. It has
/// the whole environment, secrets included; the payload is encrypted.
pub(super) fn job<E: Execution>(rows: &Rows<'_>, mut execution: E) -> Result<Job, StepError> {
    environment::resolve(rows, &mut execution)?;
    let lost = execution
        .runtime_env_mut()
        .iter()
        .find(|(_, value)| is_sealed(&value.value));
    if let Some((name, _)) = lost {
        let cause = format!(
            "the stored secret {name} is sealed with a key that is not here any more; put back the payload key file (STIGMER_PAYLOAD_KEY_FILE), or store the secret again"
        );
        return Err(Cause::Precondition(cause)).at("ResolveEnvironment");
    }
    Ok(execution.into_job())
}
