//! `stigmer agent` and `stigmer workflow`: looking at what is deployed, and deleting it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;
use stigmer_api::{
    LOCAL_ORG, agent::Agent, commons::WorkflowTaskKind, environment::EnvironmentSpec,
    json::to_json, time::rfc3339, workflow::Workflow,
};

use super::connect::connect;
use crate::{
    api::{Api, Deployable, delete},
    cli::ResourceCommand,
    render::{Details, Output, ResourceRow, Table, terminal_width},
};

/// `stigmer agent …`.
pub async fn agents(command: ResourceCommand, out: &Output) -> Result<ExitCode> {
    execute::<Agent>(command, out).await
}

/// `stigmer workflow …`.
pub async fn workflows(command: ResourceCommand, out: &Output) -> Result<ExitCode> {
    execute::<Workflow>(command, out).await
}

/// A kind that people look at.
trait Shown: Deployable {
    /// How several are called in a sentence, and in JSON: `agents`.
    const MANY: &'static str;

    /// Adds what is special about the kind.
    fn describe(&self, details: &mut Details);
}

async fn execute<K: Shown>(command: ResourceCommand, out: &Output) -> Result<ExitCode> {
    let api = connect().await?;
    match command {
        ResourceCommand::List { org } => list::<K>(&api, &org_or_local(org), out).await?,
        ResourceCommand::Get { target, org } => {
            let found = find::<K>(&api, &org_or_local(org), &target).await?;
            out.screen().plain(details(&found).to_string().trim_end());
            out.report(&to_json(&found));
        }
        ResourceCommand::Delete { target, org } => {
            let found = find::<K>(&api, &org_or_local(org), &target).await?;
            let deleted = delete::<K>(&api, found.id()).await?;
            let (name, id) = (deleted.name(), deleted.id());
            out.screen()
                .success(format!("{} deleted: {name} (ID: {id})", K::TYPE));
            out.report(&json!({"deleted": row(&deleted)}));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn org_or_local(org: Option<String>) -> String {
    org.unwrap_or_else(|| LOCAL_ORG.to_owned())
}

async fn list<K: Shown>(api: &Api, org: &str, out: &Output) -> Result<()> {
    let rows = K::list(api, org).await?.iter().map(row).collect::<Vec<_>>();
    let screen = out.screen();
    if rows.is_empty() {
        screen.info(format!("No {} in organization {org}", K::MANY));
        screen.info("To deploy what a project defines: stigmer apply");
    } else {
        let mut table = Table::new(["NAME", "DESCRIPTION", "UPDATED", "ID"], terminal_width());
        for row in &rows {
            table.row([&row.name, &row.description, &row.updated_at, &row.id].map(String::clone));
        }
        screen.plain(table.to_string().trim_end());
    }
    out.report(&json!({"organization": org, K::MANY: rows}));
    Ok(())
}

async fn find<K: Shown>(api: &Api, org: &str, target: &str) -> Result<K> {
    match K::find(api, org, target).await? {
        Some(found) => Ok(found),
        None => bail!(
            "{} not found: {target}\n\nTo see all of organization '{org}': stigmer {} list --org {org}",
            K::TYPE,
            K::TYPE.to_lowercase(),
        ),
    }
}

fn row<K: Deployable>(resource: &K) -> ResourceRow {
    ResourceRow {
        r#type: K::TYPE,
        name: resource.name().to_owned(),
        description: resource.description().to_owned(),
        updated_at: times(resource).1,
        id: resource.id().to_owned(),
    }
}

/// When the resource was created and when it was changed last; empty where the server does not say.
fn times<K: Deployable>(resource: &K) -> (String, String) {
    let audit = resource.audit().and_then(|audit| audit.spec_audit.as_ref());
    let text = |at: Option<&prost_types::Timestamp>| at.and_then(rfc3339).unwrap_or_default();
    (
        text(audit.and_then(|audit| audit.created_at.as_ref())),
        text(audit.and_then(|audit| audit.updated_at.as_ref())),
    )
}

fn details<K: Shown>(resource: &K) -> Details {
    let mut details = Details::default();
    let metadata = resource.metadata().cloned().unwrap_or_default();
    let (created, updated) = times(resource);
    details
        .add("Name", resource.name())
        .add("ID", resource.id())
        .add("Organization", metadata.org.as_str())
        .add("Scope", metadata.owner_scope().as_str_name())
        .add("Description", resource.description())
        .add("Created", created)
        .add("Updated", updated);
    resource.describe(&mut details);
    details
}

impl Shown for Agent {
    const MANY: &'static str = "agents";

    fn describe(&self, details: &mut Details) {
        let spec = self.spec.clone().unwrap_or_default();
        let names = |names: Vec<String>| names.join(", ");
        let skills = spec
            .skill_refs
            .into_iter()
            .map(|skill| match &*skill.version {
                "" => skill.slug,
                version => format!("{}@{version}", skill.slug),
            });
        details
            .add("Icon", spec.icon_url)
            .add_all("Skills", skills)
            .add(
                "MCP servers",
                names(spec.mcp_servers.into_iter().map(|s| s.name).collect()),
            )
            .add(
                "Sub-agents",
                names(spec.sub_agents.into_iter().map(|s| s.name).collect()),
            )
            .add_all("Variables", variables(spec.env_spec.as_ref()))
            .add("Instructions", spec.instructions);
    }
}

impl Shown for Workflow {
    const MANY: &'static str = "workflows";

    fn describe(&self, details: &mut Details) {
        let spec = self.spec.clone().unwrap_or_default();
        let document = spec.document.unwrap_or_default();
        let tasks = spec.tasks.iter().map(|task| {
            let kind = WorkflowTaskKind::try_from(task.kind).unwrap_or_default();
            let kind = kind.as_str_name().trim_start_matches("WORKFLOW_TASK_KIND_");
            format!("{} ({kind})", task.name)
        });
        details
            .add("Namespace", document.namespace)
            .add("Version", document.version)
            .add_all("Tasks", tasks)
            .add_all("Variables", variables(spec.env_spec.as_ref()));
    }
}

/// The names of variables, sorted; a secret one says so.
fn variables(spec: Option<&EnvironmentSpec>) -> Vec<String> {
    let mut names = spec
        .into_iter()
        .flat_map(|spec| &spec.data)
        .map(|(name, value)| match value.is_secret {
            true => format!("{name} (secret)"),
            false => name.clone(),
        })
        .collect::<Vec<_>>();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use stigmer_api::{
        ApiResourceMetadata, ApiResourceReference, Resource,
        agent::{AgentSpec, SubAgent},
        environment::EnvironmentValue,
        workflow::{WorkflowDocument, WorkflowSpec, WorkflowTask},
    };

    use super::*;

    fn variables_of(names: &[(&str, bool)]) -> EnvironmentSpec {
        let value = |is_secret| EnvironmentValue {
            is_secret,
            ..Default::default()
        };
        EnvironmentSpec {
            data: names
                .iter()
                .map(|(n, s)| ((*n).to_owned(), value(*s)))
                .collect(),
            ..Default::default()
        }
    }

    #[test]
    fn an_agent_is_shown_with_its_parts() {
        let skill = |slug: &str, version: &str| ApiResourceReference {
            slug: slug.into(),
            version: version.into(),
            ..Default::default()
        };
        let agent = Agent {
            metadata: Some(ApiResourceMetadata {
                name: "a".into(),
                id: "agt-1".into(),
                org: "local".into(),
                owner_scope: 2,
                ..Default::default()
            }),
            spec: Some(AgentSpec {
                instructions: "Read.\nAnswer.".into(),
                skill_refs: vec![skill("s", ""), skill("t", "v1")],
                sub_agents: vec![SubAgent {
                    name: "helper".into(),
                    ..Default::default()
                }],
                env_spec: Some(variables_of(&[("TOKEN", true), ("REGION", false)])),
                ..Default::default()
            }),
            ..Agent::envelope()
        };
        assert_eq!(
            details(&agent).to_string(),
            "Name:         a\nID:           agt-1\nOrganization: local\nScope:        organization\n\
             Skills:       s, t@v1\nSub-agents:   helper\nVariables:    REGION, TOKEN (secret)\n\
             Instructions:\n  Read.\n  Answer.\n"
        );
    }

    #[test]
    fn a_workflow_is_shown_with_its_tasks_in_order() {
        let task = |name: &str, kind: WorkflowTaskKind| WorkflowTask {
            name: name.into(),
            kind: kind.into(),
            ..Default::default()
        };
        let workflow = Workflow {
            spec: Some(WorkflowSpec {
                document: Some(WorkflowDocument {
                    namespace: "data".into(),
                    version: "1.0.0".into(),
                    ..Default::default()
                }),
                tasks: vec![
                    task("fetch", WorkflowTaskKind::HttpCall),
                    task("store", WorkflowTaskKind::Set),
                ],
                ..Default::default()
            }),
            ..Workflow::envelope()
        };
        let mut shown = Details::default();
        workflow.describe(&mut shown);
        assert_eq!(
            shown.to_string(),
            "Namespace: data\nVersion:   1.0.0\nTasks:     fetch (HTTP_CALL), store (SET)\n"
        );
    }
}
