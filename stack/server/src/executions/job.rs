//! What the workflow of an execution is started with.

use super::{Execution, Job, environment};
use crate::{pipeline::StepError, store::Rows};

/// The job of an accepted execution: the message that travels to its runner through Temporal. It has
/// the whole environment, secrets included; the payload is encrypted.
pub(super) fn job<E: Execution>(rows: &Rows<'_>, mut execution: E) -> Result<Job, StepError> {
    environment::resolve(rows, &mut execution)?;
    Ok(execution.into_job())
}
