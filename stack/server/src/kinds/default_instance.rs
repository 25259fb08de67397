//! The default instance of an agent or workflow: made with it, deleted with it, and adopted when one
//! is left over from a namesake that is gone.

use stigmer_api::{
    ApiResourceMetadata, ApiResourceOwnerScope, Resource, agent::Agent,
    agent_instance::AgentInstance, slug, workflow::Workflow, workflow_instance::WorkflowInstance,
};

use super::Kind;
use crate::{
    pipeline::{self, AtStep as _, Cause, StepError, steps},
    store::{Indexed as _, Tx},
};

const STEP: &str = "CreateDefaultInstance";

/// A kind whose resources have a default instance each.
pub trait Instantiable: Kind {
    /// The kind of the instances. Its parent is the resource it is an instance of.
    type Instance: Kind;

    /// The noted id of the default instance, or an empty text.
    fn default_instance_id(&self) -> &str;

    /// Notes the id of the default instance.
    fn set_default_instance_id(&mut self, id: String);

    /// Makes `instance` one of this resource.
    fn adopt(&self, instance: &mut Self::Instance);
}

/// Implements [`Instantiable`]: `owner: instance by field`, the field being that of the instance's spec
/// with the owner's id.
macro_rules! instantiable {
    ($($owner:ident: $instance:ident by $field:ident;)*) => {$(
        impl Instantiable for $owner {
            type Instance = $instance;

            fn default_instance_id(&self) -> &str {
                self.status
                    .as_ref()
                    .map_or("", |status| &status.default_instance_id)
            }

            fn set_default_instance_id(&mut self, id: String) {
                self.status.get_or_insert_default().default_instance_id = id;
            }

            fn adopt(&self, instance: &mut $instance) {
                let spec = instance.spec.get_or_insert_default();
                self.id().clone_into(&mut spec.$field);
                if spec.description.is_empty() {
                    let owner = Self::kind_name().to_lowercase();
                    spec.description = format!("Default instance, made together with its {owner}.");
                }
            }
        }
    )*};
}

instantiable! {
    Agent: AgentInstance by agent_id;
    Workflow: WorkflowInstance by workflow_id;
}

/// The resource with this id and the id of its default instance, which is made when it is missing.
pub fn load<O: Instantiable>(tx: &Tx<'_>, id: &str) -> Result<(O, String), StepError> {
    const STEP: &str = "CreateDefaultInstanceIfNeeded";
    let mut owner: O = steps::load_by_id(tx, id, STEP)?;
    if let Some(instance_id) = existing(tx, &owner)? {
        return Ok((owner, instance_id));
    }
    create(tx, &mut owner)?;
    tx.save(&owner).at(STEP)?;
    let instance_id = owner.default_instance_id().to_owned();
    Ok((owner, instance_id))
}

/// Makes `<owner>-default`, or adopts the one that is left over, and notes its id.
pub fn create<O: Instantiable>(tx: &Tx<'_>, owner: &mut O) -> Result<(), StepError> {
    let instance = default_of(owner);
    let slug = slug::from_name(instance.name());
    let identity = instance.metadata().cloned().unwrap_or_default();
    let taken: Option<O::Instance> = tx
        .find(&identity.org, identity.owner_scope, &slug)
        .at(STEP)?;
    // Instances are checked against what they belong to, so that is stored before them.
    steps::persist(tx, owner)?;
    let instance = match taken {
        None => pipeline::create(tx, instance)?,
        Some(leftover) => adopt(tx, owner, leftover)?,
    };
    owner.set_default_instance_id(instance.id().to_owned());
    stigmer_fault::inject!(WrongInstance, {
        owner.set_default_instance_id(owner.id().to_owned());
    });
    Ok(())
}

/// Deletes the default instance of a resource that is deleted.
pub fn delete<O: Instantiable>(tx: &Tx<'_>, owner: &O) -> Result<(), StepError> {
    match existing(tx, owner)? {
        Some(id) => tx.delete::<O::Instance>(&id).at("DeleteDefaultInstance"),
        None => Ok(()),
    }
}

/// The id of the noted default instance, if that still exists.
fn existing<O: Instantiable>(tx: &Tx<'_>, owner: &O) -> Result<Option<String>, StepError> {
    let instance: Option<O::Instance> = tx.load(owner.default_instance_id()).at(STEP)?;
    Ok(instance.map(|instance| instance.id().to_owned()))
}

/// Takes over an instance whose owner is gone.
fn adopt<O: Instantiable>(
    tx: &Tx<'_>,
    owner: &O,
    mut leftover: O::Instance,
) -> Result<O::Instance, StepError> {
    let foreign = leftover.parent() != owner.id();
    if foreign && tx.load::<O>(leftover.parent()).at(STEP)?.is_some() {
        return Err(Cause::AlreadyExists {
            kind: O::Instance::kind_name(),
            slug: leftover.slug().to_owned(),
            id: leftover.id().to_owned(),
        })
        .at(STEP);
    }
    owner.adopt(&mut leftover);
    pipeline::update(tx, leftover)
}

fn default_of<O: Instantiable>(owner: &O) -> O::Instance {
    let metadata = owner.metadata().cloned().unwrap_or_default();
    let org = match metadata.owner_scope() {
        ApiResourceOwnerScope::Organization => metadata.org,
        _ => String::new(),
    };
    let mut instance = O::Instance::envelope();
    *instance.metadata_mut() = ApiResourceMetadata {
        name: format!("{}-default", metadata.name),
        owner_scope: metadata.owner_scope,
        org,
        ..Default::default()
    };
    owner.adopt(&mut instance);
    instance
}
