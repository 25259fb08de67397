//! The steps that requests are made of (`docs/contract/behaviour.md`, section 3.1). Each is named
//! in the error it gives.

use prost_reflect::ReflectMessage;
use stigmer_api::{
    ApiResourceAuditActor, ApiResourceAuditInfo, ApiResourceReference, id::new_id, slug,
    time::timestamp_now, validate,
};

use super::error::{AtStep as _, Cause, StepError};
use crate::{
    kinds::Kind,
    store::{Rows, Tx},
};

/// `ValidateProtoConstraints`: the rules of the wire contract.
pub fn validate_constraints<M: ReflectMessage>(input: &M) -> Result<(), StepError> {
    validate::validate(input).at("ValidateProtoConstraints")
}

/// The rules of the kind that the wire contract does not have; reported as if it did.
pub fn validate_kind<K: Kind>(resource: &K) -> Result<(), StepError> {
    resource.check().at("ValidateProtoConstraints")
}

/// `ResolveSlug`: a slug that is set stays, else it is derived from the name.
pub fn resolve_slug<K: Kind>(resource: &mut K) -> Result<(), StepError> {
    let metadata = resource.metadata_mut();
    if metadata.slug.is_empty() {
        metadata.slug = slug::from_name(&metadata.name);
    }
    if !metadata.slug.is_empty() {
        return Ok(());
    }
    let problem = match metadata.name.as_str() {
        "" => "value is required, unless metadata.slug is set".to_owned(),
        name => format!("{name:?} has no letter, digit, or hyphen to make a slug of"),
    };
    Err(Cause::invalid("metadata.name", problem)).at("ResolveSlug")
}

/// `CheckDuplicate`: the slug is free within its org and owner scope.
pub fn check_duplicate<K: Kind>(rows: &Rows<'_>, resource: &K) -> Result<(), StepError> {
    const STEP: &str = "CheckDuplicate";
    if !K::UNIQUE_SLUG {
        return Ok(());
    }
    match find_same_slug(rows, resource).at(STEP)? {
        None => Ok(()),
        Some(other) => Err(Cause::AlreadyExists {
            kind: K::kind_name(),
            slug: resource.slug().to_owned(),
            id: other.id().to_owned(),
        })
        .at(STEP),
    }
}

/// `BuildNewState`: the server's id and audit, and no status but that.
pub fn build_new_state<K: Kind>(resource: &mut K) -> Result<(), StepError> {
    if !resource.id().is_empty() {
        let problem = "the server chooses ids; leave it empty to create, or name an existing resource to update it";
        return Err(Cause::invalid("metadata.id", problem)).at("BuildNewState");
    }
    resource.metadata_mut().id = new_id(K::KIND);
    resource.clear_status();
    let info = ApiResourceAuditInfo {
        created_by: Some(system()),
        created_at: Some(timestamp_now()),
        event: "created".to_owned(),
        ..Default::default()
    };
    let info = ApiResourceAuditInfo {
        updated_by: info.created_by.clone(),
        updated_at: info.created_at,
        ..info
    };
    let audit = resource.audit_mut();
    audit.spec_audit = Some(info.clone());
    audit.status_audit = Some(info);
    Ok(())
}

/// `LoadExisting`: by id if the request has one, else by slug within org and owner scope.
pub fn load_existing<K: Kind>(rows: &Rows<'_>, request: &K) -> Result<K, StepError> {
    const STEP: &str = "LoadExisting";
    let (found, what) = match request.id() {
        "" => (find_same_slug(rows, request).at(STEP)?, request.slug()),
        id => (rows.load(id).at(STEP)?, id),
    };
    found.ok_or_else(|| not_found::<K>(what)).at(STEP)
}

/// `LoadForApply`: the resource that an apply updates, or `None` when it creates one.
pub fn load_for_apply<K: Kind>(rows: &Rows<'_>, request: &K) -> Result<Option<K>, StepError> {
    const STEP: &str = "LoadForApply";
    let Some(stored) = find_same_slug(rows, request).at(STEP)? else {
        return Ok(None);
    };
    if !request.id().is_empty() && request.id() != stored.id() {
        let problem = format!(
            "{} has the slug {:?}; leave the id empty",
            stored.id(),
            stored.slug()
        );
        return Err(Cause::invalid("metadata.id", problem)).at(STEP);
    }
    Ok(Some(stored))
}

/// `BuildUpdateState`: the request's name, labels, and spec on the stored identity and status.
/// An empty name keeps the stored one.
pub fn build_update_state<K: Kind>(mut request: K, stored: &K) -> K {
    let kept = stored.metadata().cloned().unwrap_or_default();
    let metadata = request.metadata_mut();
    metadata.id = kept.id;
    metadata.slug = kept.slug;
    metadata.org = kept.org;
    metadata.owner_scope = kept.owner_scope;
    if metadata.name.is_empty() {
        metadata.name = kept.name;
    }
    request.take_status_of(stored);
    request.restore(stored);
    request
}

/// Marks the resource as updated now.
pub fn touch<K: Kind>(resource: &mut K) {
    let now = Some(timestamp_now());
    let audit = resource.audit_mut();
    let spec = audit.spec_audit.get_or_insert_default();
    spec.updated_by = Some(system());
    spec.updated_at = now;
    spec.event = "updated".to_owned();
    touch_status(resource);
}

/// Marks the status of the resource as updated now.
pub fn touch_status<K: Kind>(resource: &mut K) {
    let status = resource.audit_mut().status_audit.get_or_insert_default();
    status.updated_by = Some(system());
    status.updated_at = Some(timestamp_now());
    status.event = "updated".to_owned();
}

/// `Persist`: stores the resource.
pub fn persist<K: Kind>(tx: &Tx<'_>, resource: &K) -> Result<(), StepError> {
    tx.save(resource).at("Persist")
}

/// `LoadTarget` and its like: the resource with this id.
pub fn load_by_id<K: Kind>(rows: &Rows<'_>, id: &str, step: &'static str) -> Result<K, StepError> {
    rows.load(id)
        .at(step)?
        .ok_or_else(|| not_found::<K>(id))
        .at(step)
}

/// `LoadByReference`: the resource with this slug, see [`Rows::resolve`].
pub fn load_by_reference<K: Kind>(
    rows: &Rows<'_>,
    reference: &ApiResourceReference,
) -> Result<K, StepError> {
    const STEP: &str = "LoadByReference";
    if reference.slug.is_empty() {
        return Err(Cause::invalid("slug", "value is required")).at(STEP);
    }
    if reference.kind != 0 && reference.kind != K::KIND as i32 {
        let problem = format!(
            "value must be 0 or {} ({})",
            K::KIND as i32,
            K::KIND.as_str_name()
        );
        return Err(Cause::invalid("kind", problem)).at(STEP);
    }
    rows.resolve(&reference.org, reference.scope, &reference.slug)
        .at(STEP)?
        .ok_or_else(|| match reference.org.as_str() {
            "" => not_found::<K>(&reference.slug),
            org => not_found::<K>(&format!("{} in org {org}", reference.slug)),
        })
        .at(STEP)
}

/// There is no resource of kind `K` by this id or slug.
pub fn not_found<K: Kind>(what: &str) -> Cause {
    Cause::NotFound {
        kind: K::kind_name(),
        what: what.to_owned(),
    }
}

fn find_same_slug<K: Kind>(
    rows: &Rows<'_>,
    resource: &K,
) -> Result<Option<K>, crate::store::StoreError> {
    let metadata = resource.metadata().cloned().unwrap_or_default();
    rows.find(&metadata.org, metadata.owner_scope, &metadata.slug)
}

fn system() -> ApiResourceAuditActor {
    ApiResourceAuditActor {
        id: "system".to_owned(),
        avatar: String::new(),
    }
}
