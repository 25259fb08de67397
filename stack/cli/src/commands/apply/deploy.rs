//! Deploying resources one after the other, and telling what that did to each.

use anyhow::{Context, Result};
use stigmer_api::{ApiResourceOwnerScope, agent::Agent, workflow::Workflow};

use crate::{
    api::{Api, Deployable},
    project::Resources,
    render::{Change, ResourceReport, Screen},
};

/// The SDK's time stamp. It changes with every run of a program and is no change of the resource.
const GENERATED_AT: &str = "stigmer.ai/sdk.generated-at";

/// What secret values read as.
const HIDDEN: &str = "***";

/// What the server has of a project.
#[derive(Debug, Default)]
pub struct Deployed {
    pub agents: Vec<Agent>,
    pub workflows: Vec<Workflow>,
}

/// Deploys `resources` in their order, up to the first that the server refuses. `rows` says what
/// happened to each, also when that ended in an error.
pub async fn deploy(
    api: &Api,
    resources: Resources,
    org: &str,
    screen: &Screen,
    rows: &mut Vec<ResourceReport>,
) -> Result<Deployed> {
    if !resources.skills.is_empty() {
        screen.info(
            "⚠️  Skills detected but Code Mode deployment is deprecated. Use Artifact Mode (SKILL.md) to upload skills.",
        );
    }
    let Resources {
        agents, workflows, ..
    } = resources;
    let workflows_to_come = planned(&workflows).collect::<Vec<_>>();
    let agents = match deploy_all(api, agents, org, screen, rows).await {
        Ok(agents) => agents,
        Err(error) => {
            rows.extend(workflows_to_come.into_iter().map(|row| ResourceReport {
                status: Change::Skipped,
                ..row
            }));
            return Err(error);
        }
    };
    Ok(Deployed {
        agents,
        workflows: deploy_all(api, workflows, org, screen, rows).await?,
    })
}

/// Deploys resources of one kind in their order, up to the first that the server refuses.
async fn deploy_all<K: Deployable>(
    api: &Api,
    resources: Vec<K>,
    org: &str,
    screen: &Screen,
    rows: &mut Vec<ResourceReport>,
) -> Result<Vec<K>> {
    let (type_name, total) = (K::TYPE, resources.len());
    let mut resources = resources.into_iter();
    let mut deployed = Vec::new();
    while let Some(resource) = resources.next() {
        let (name, planned) = (
            resource.name().to_owned(),
            report(&resource, Change::Failed),
        );
        screen.info(format!(
            "Deploying {} {}/{total}: {name}",
            type_name.to_lowercase(),
            deployed.len() + 1
        ));
        match deploy_one(api, resource, org).await {
            Ok((stored, change)) => {
                screen.info(format!(
                    "✓ {type_name} deployed: {name} (ID: {})",
                    stored.id()
                ));
                rows.push(report(&stored, change));
                deployed.push(stored);
            }
            Err(error) => {
                rows.push(planned);
                rows.extend(resources.map(|left| report(&left, Change::Skipped)));
                return Err(error).with_context(|| {
                    format!("failed to deploy {} '{name}'", type_name.to_lowercase())
                });
            }
        }
    }
    Ok(deployed)
}

/// Deploys one resource and tells from its time of change whether the server had to.
async fn deploy_one<K: Deployable>(api: &Api, mut resource: K, org: &str) -> Result<(K, Change)> {
    let metadata = resource.metadata_mut();
    metadata.org = org.to_owned();
    if metadata.owner_scope() == ApiResourceOwnerScope::Unspecified {
        metadata.set_owner_scope(ApiResourceOwnerScope::Organization);
    }
    let before = K::find_by_slug(api, org, &resource.slug_on_server()).await?;
    if let Some(stored) = &before {
        keep_time_stamp(&mut resource, stored);
    }
    let after = resource.apply(api).await?;
    let change = match before {
        None => Change::Created,
        Some(before) if updated_at(&before) == updated_at(&after) => Change::Unchanged,
        Some(_) => Change::Updated,
    };
    Ok((after, change))
}

/// Gives `new` the time stamp of `stored` when nothing else that can be seen differs: to have been
/// made again is no change, but the server updates a resource that differs in anything.
fn keep_time_stamp<K: Deployable>(new: &mut K, stored: &K) {
    let Some(old) = stored
        .metadata()
        .and_then(|metadata| metadata.annotations.get(GENERATED_AT))
    else {
        return;
    };
    let mut twin = new.clone();
    twin.take_status_of(stored);
    hide_secrets(&mut twin, stored);
    let metadata = twin.metadata_mut();
    metadata.id = stored.id().to_owned();
    metadata.slug = stored.slug().to_owned();
    metadata
        .annotations
        .insert(GENERATED_AT.to_owned(), old.clone());
    if twin == *stored {
        new.metadata_mut()
            .annotations
            .insert(GENERATED_AT.to_owned(), old.clone());
    }
}

/// Hides the values in `new` that are hidden in `stored`. Whether they differ only the server knows.
fn hide_secrets<K: Deployable>(new: &mut K, stored: &K) {
    let mut stored = stored.clone();
    let (Some(new), Some(stored)) = (new.variables_mut(), stored.variables_mut()) else {
        return;
    };
    for (name, variable) in new.iter_mut().filter(|(_, variable)| variable.is_secret) {
        if stored
            .get(name)
            .is_some_and(|stored| stored.value == HIDDEN)
        {
            HIDDEN.clone_into(&mut variable.value);
        }
    }
}

fn updated_at<K: Deployable>(resource: &K) -> Option<(i64, i32)> {
    let at = resource.audit()?.spec_audit.as_ref()?.updated_at.as_ref()?;
    Some((at.seconds, at.nanos))
}

/// The rows of resources before anything is done.
pub fn planned<K: Deployable>(resources: &[K]) -> impl Iterator<Item = ResourceReport> {
    resources
        .iter()
        .map(|resource| report(resource, Change::Planned))
}

fn report<K: Deployable>(resource: &K, status: Change) -> ResourceReport {
    let id = Some(resource.id().to_owned()).filter(|id| !id.is_empty());
    ResourceReport {
        r#type: K::TYPE,
        name: resource.name().to_owned(),
        description: resource.description().to_owned(),
        status,
        id,
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        ApiResourceMetadata, Resource, agent::AgentSpec, environment::EnvironmentValue,
    };

    use super::*;

    fn agent(description: &str, made_at: &str) -> Agent {
        Agent {
            metadata: Some(ApiResourceMetadata {
                name: "a".into(),
                annotations: [(GENERATED_AT.to_owned(), made_at.to_owned())].into(),
                ..Default::default()
            }),
            spec: Some(AgentSpec {
                description: description.into(),
                ..Default::default()
            }),
            ..Agent::envelope()
        }
    }

    fn stored(description: &str) -> Agent {
        let mut stored = agent(description, "1");
        let metadata = stored.metadata_mut();
        (metadata.id, metadata.slug) = ("agt-1".into(), "a".into());
        stored.audit_mut();
        stored
    }

    fn made_at(agent: &Agent) -> &str {
        &agent.metadata().unwrap().annotations[GENERATED_AT]
    }

    #[test]
    fn to_have_been_made_again_is_no_change() {
        let mut again = agent("same", "2");
        keep_time_stamp(&mut again, &stored("same"));
        assert_eq!(made_at(&again), "1");
        assert_eq!(again.id(), "", "the server decides about ids");
    }

    #[test]
    fn a_secret_that_the_server_hides_is_no_change_that_can_be_seen() {
        let with_secret = |mut agent: Agent, value: &str| {
            let spec = agent.spec.get_or_insert_default();
            let variable = EnvironmentValue {
                value: value.into(),
                is_secret: true,
                ..Default::default()
            };
            let variables = &mut spec.env_spec.get_or_insert_default().data;
            variables.insert("TOKEN".into(), variable);
            agent
        };
        let mut again = with_secret(agent("same", "2"), "hunter2");
        keep_time_stamp(&mut again, &with_secret(stored("same"), HIDDEN));
        assert_eq!(made_at(&again), "1");
        let sent = again.variables_mut().unwrap()["TOKEN"].value.clone();
        assert_eq!(
            sent, "hunter2",
            "the server gets the value, which may be new"
        );
    }

    #[test]
    fn a_changed_resource_keeps_its_own_time() {
        let mut changed = agent("new words", "2");
        keep_time_stamp(&mut changed, &stored("old words"));
        assert_eq!(made_at(&changed), "2");
    }
}
