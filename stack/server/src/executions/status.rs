//! Changing the status of a stored execution. Every change is one transaction, so that none is lost.

use super::{Execution, Phase, merge};
use crate::{
    pipeline::{AtStep as _, Cause, StepError, steps},
    store::{Store, Tx},
};

/// Merges a reported status into the stored one and returns the execution as stored.
pub async fn update_status<E: Execution>(
    store: &Store,
    id: String,
    update: E::Status,
) -> Result<E, StepError> {
    store
        .write(move |tx| {
            let mut execution: E = steps::load_by_id(tx, &id, "LoadExisting")?;
            let merged = merge::merge(execution.status_mut(), update)
                .map_err(|error| Cause::Precondition(format!("{id}: {error}")))
                .at("MergeStatus")?;
            if merged != *execution.status_mut() {
                *execution.status_mut() = merged;
                steps::persist(tx, &execution)?;
            }
            Ok(execution)
        })
        .await
}

/// Makes sure that an execution whose workflow is done has ended: with `last`, the status it is
/// left with, unless its runner reported the end before. Returns the execution as stored, or `None`
/// when it was deleted.
pub async fn conclude<E: Execution>(
    store: &Store,
    id: String,
    last: E::Status,
) -> Result<Option<E>, StepError> {
    store
        .write(move |tx| {
            let Some(mut execution) = tx.load::<E>(&id).at("LoadExisting")? else {
                return Ok(None);
            };
            if let Some(status) = merge::conclude(execution.status_mut(), last) {
                *execution.status_mut() = status;
                save(tx, &mut execution)?;
            }
            Ok(Some(execution))
        })
        .await
}

/// Ends the execution in `phase` for `cause`, keeping what its runner reported. One that has ended,
/// or is deleted, stays as it is. Returns whether it was ended now.
pub async fn end<E: Execution>(
    store: &Store,
    id: String,
    phase: Phase,
    cause: String,
) -> Result<bool, StepError> {
    store
        .write(move |tx| {
            let Some(mut execution) = tx.load::<E>(&id).at("LoadExisting")? else {
                return Ok(false);
            };
            let Some(ended) = merge::end(execution.status_mut(), phase, &cause) else {
                return Ok(false);
            };
            *execution.status_mut() = ended;
            save(tx, &mut execution)?;
            Ok(true)
        })
        .await
}

fn save<E: Execution>(tx: &Tx<'_>, execution: &mut E) -> Result<(), StepError> {
    steps::touch_status(execution);
    steps::persist(tx, execution)
}
