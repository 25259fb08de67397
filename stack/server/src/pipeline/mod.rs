//! One pipeline for all kinds: each request is a list of named steps inside one transaction, and
//! the first that fails ends it without a trace (`docs/contract/behaviour.md`, section 3). The step
//! before all others, `ValidateProtoConstraints`, needs no transaction; callers run it first.

mod error;
pub mod page;
pub mod steps;

#[cfg(test)]
mod tests;

use stigmer_api::ApiResourceReference;

pub use error::{AtStep, Cause, StepError};

use crate::{
    kinds::Kind,
    store::{Rows, Tx},
};

/// Stores a new resource and returns it as stored.
pub fn create<K: Kind>(tx: &Tx<'_>, mut resource: K) -> Result<K, StepError> {
    steps::validate_kind(&resource)?;
    steps::resolve_slug(&mut resource)?;
    steps::check_duplicate(tx, &resource)?;
    steps::build_new_state(&mut resource)?;
    resource.prepare(tx)?;
    steps::persist(tx, &resource)?;
    Ok(resource)
}

/// Replaces name, labels, and spec of a stored resource and returns it as stored.
pub fn update<K: Kind>(tx: &Tx<'_>, mut request: K) -> Result<K, StepError> {
    if request.id().is_empty() {
        steps::resolve_slug(&mut request)?;
    }
    let stored = steps::load_existing(tx, &request)?;
    save_update(tx, steps::build_update_state(request, &stored))
}

/// Creates the resource, or updates the one that has its slug. A request that changes nothing
/// leaves the stored resource as it is, audit included, so that clients can tell.
pub fn apply<K: Kind>(tx: &Tx<'_>, mut request: K) -> Result<K, StepError> {
    steps::resolve_slug(&mut request)?;
    let Some(stored) = steps::load_for_apply(tx, &request)? else {
        return create(tx, request);
    };
    let merged = steps::build_update_state(request, &stored);
    if merged == stored {
        Ok(stored)
    } else {
        save_update(tx, merged)
    }
}

fn save_update<K: Kind>(tx: &Tx<'_>, mut resource: K) -> Result<K, StepError> {
    steps::validate_kind(&resource)?;
    steps::touch(&mut resource);
    steps::persist(tx, &resource)?;
    Ok(resource)
}

/// Deletes the resource with this id and returns it as it was.
pub fn delete<K: Kind>(tx: &Tx<'_>, id: &str) -> Result<K, StepError> {
    let resource: K = steps::load_by_id(tx, id, "LoadExistingForDelete")?;
    tx.delete::<K>(id).at("DeleteResource")?;
    resource.deleted(tx)?;
    Ok(resource)
}

/// The resource with this id.
pub fn get<K: Kind>(rows: &Rows<'_>, id: &str) -> Result<K, StepError> {
    steps::load_by_id(rows, id, "LoadTarget")
}

/// The resource that the reference means.
pub fn get_by_reference<K: Kind>(
    rows: &Rows<'_>,
    reference: &ApiResourceReference,
) -> Result<K, StepError> {
    steps::load_by_reference(rows, reference)
}
