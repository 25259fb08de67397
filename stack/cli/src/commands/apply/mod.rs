//! `stigmer apply`: deploys what a project defines.

mod deploy;

use std::process::ExitCode;

use anyhow::Result;
use stigmer_api::{LOCAL_ORG, Resource};

use super::connect::{or_start_daemon, require_local_backend};
use crate::{
    api::{Api, Deployable},
    cli::ApplyArgs,
    project::{Project, Resources, Synthesis, synthesize},
    render::{
        ApplyReport, Output, ProjectReport, ResourceReport, Screen, Table, terminal_width,
        to_stderr,
    },
};

pub use deploy::Deployed;
use deploy::{deploy, planned};

/// Deploys, or shows what would be deployed.
pub async fn execute(args: ApplyArgs, out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    require_local_backend()?;
    let project = load(args.config.as_deref(), screen)?;
    let discovering = discover(&project, screen, out);
    if args.dry_run {
        let resources = discovering.await?;
        dry_run(&project, &resources, out);
        stigmer_fault::inject!(StoredOnDryRun, {
            let api = or_start_daemon(Api::connect().await, screen).await?;
            deploy(
                &api,
                resources,
                LOCAL_ORG,
                &Screen::silent(),
                &mut Vec::new(),
            )
            .await?;
        });
        return Ok(ExitCode::SUCCESS);
    }
    // The server may take its time to answer while the program is built.
    let (resources, api) = tokio::join!(discovering, Api::connect());
    let resources = resources?;
    let org = args.org.as_deref().unwrap_or(LOCAL_ORG);
    screen.info(format!("Using local backend (organization: {org})"));
    let api = or_start_daemon(api, screen).await?;
    screen.info("Connecting to backend...");
    screen.success("✓ Connected to backend");
    screen.blank();

    let mut rows = Vec::new();
    let result = deploy(&api, resources, org, screen, &mut rows).await;
    summary(&rows, result.is_ok(), screen);
    out.report(&ApplyReport {
        dry_run: false,
        project: about(&project),
        organization: Some(org),
        resources: &rows,
        error: result.as_ref().err().map(|error| format!("{error:#}")),
    });
    result.map(|_| ExitCode::SUCCESS)
}

/// Deploys the project in the current directory on behalf of another command, and returns what the
/// server has now. `rows` says what happened to each resource, also when that ended in an error.
pub async fn apply_quietly(
    api: &Api,
    org: &str,
    out: &Output,
    rows: &mut Vec<ResourceReport>,
) -> Result<Deployed> {
    let silent = Screen::silent();
    let project = load(None, &silent)?;
    let resources = discover(&project, &silent, out).await?;
    deploy(api, resources, org, &silent, rows).await
}

fn about(project: &Project) -> ProjectReport<'_> {
    ProjectReport {
        name: &project.name,
        runtime: project.runtime.name(),
        version: project.version.as_deref(),
        main: project.main.as_str(),
    }
}

fn load(path: Option<&camino::Utf8Path>, screen: &Screen) -> Result<Project> {
    screen.info("Loading project configuration...");
    let project = Project::load(path)?;
    screen.success("✓ Loaded Stigmer.yaml");
    screen.info(format!("  Project:  {}", project.name));
    screen.info(format!("  Runtime:  {}", project.runtime));
    if let Some(version) = &project.version {
        screen.info(format!("  Version:  {version}"));
    }
    screen.info(format!("  Main:     {}", project.main));
    screen.blank();
    Ok(project)
}

/// Runs the project's program. What it prints is the user's and is shown in every mode, but never
/// in the middle of a JSON report.
async fn discover(project: &Project, screen: &Screen, out: &Output) -> Result<Resources> {
    screen.info("Executing entry point to discover resources...");
    let waiting =
        || screen.info("Waiting for another stigmer command that works on this project...");
    let Synthesis {
        resources,
        stdout,
        stderr,
    } = synthesize(project, waiting).await?;
    match stdout.is_empty() {
        true => {}
        false if out.is_json() => to_stderr(&stdout),
        false => out.screen().plain(stdout),
    }
    to_stderr(&stderr);
    screen.success(format!(
        "✓ Synthesis complete: {} resource(s) discovered ({} skill(s), {} agent(s), {} workflow(s))",
        resources.len(),
        resources.skills.len(),
        resources.agents.len(),
        resources.workflows.len(),
    ));
    screen.blank();
    list(&resources, screen);
    Ok(resources)
}

fn list(resources: &Resources, screen: &Screen) {
    let show = |kind: &str, entries: &[(&str, &str)]| {
        if entries.is_empty() {
            return;
        }
        screen.info(format!("{kind} discovered: {}", entries.len()));
        for (number, (name, description)) in entries.iter().enumerate() {
            screen.info(format!("  {}. {name}", number + 1));
            if !description.is_empty() {
                screen.info(format!("     Description: {description}"));
            }
        }
        screen.blank();
    };
    show(
        "Skills",
        &resources
            .skills
            .iter()
            .map(|skill| (skill.name(), ""))
            .collect::<Vec<_>>(),
    );
    show("Agents", &described(&resources.agents));
    show("Workflows", &described(&resources.workflows));
}

fn described<K: Deployable>(resources: &[K]) -> Vec<(&str, &str)> {
    resources
        .iter()
        .map(|resource| (resource.name(), resource.description()))
        .collect()
}

fn dry_run(project: &Project, resources: &Resources, out: &Output) {
    let screen = out.screen();
    let rows = planned(&resources.agents)
        .chain(planned(&resources.workflows))
        .collect::<Vec<_>>();
    out.report(&ApplyReport {
        dry_run: true,
        project: about(project),
        organization: None,
        resources: &rows,
        error: None,
    });
    screen.blank();
    screen.plain("Dry run: The following resources would be applied:");
    screen.blank();
    let mut table = Table::new(["TYPE", "NAME", "ACTION"], terminal_width());
    for row in rows {
        table.row([
            row.r#type.to_owned(),
            row.name,
            row.status.label().to_owned(),
        ]);
    }
    screen.plain(table);
    screen.plain("💡 Dry run successful - no resources were deployed");
    screen.blank();
}

fn summary(rows: &[ResourceReport], succeeded: bool, screen: &Screen) {
    screen.blank();
    match succeeded {
        true => screen.success("🚀 Deployment successful!"),
        false => screen.error("Deployment failed"),
    }
    screen.blank();
    let mut table = Table::new(["TYPE", "NAME", "STATUS", "ID"], terminal_width());
    for row in rows {
        let id = row.id.clone().unwrap_or_default();
        table.row([
            row.r#type.to_owned(),
            row.name.clone(),
            row.status.label().to_owned(),
            id,
        ]);
    }
    screen.plain(table);
    if succeeded {
        screen.plain(format!(
            "✅ Successfully applied {} resource(s)",
            rows.len()
        ));
        screen.blank();
        screen.info("Next steps:");
        for (what, kind) in [("agents", "Agent"), ("workflows", "Workflow")] {
            if rows.iter().any(|row| row.r#type == kind) {
                let command = kind.to_lowercase();
                screen.info(format!("  - View {what}: stigmer {command} list"));
            }
        }
        screen.info("  - Run one: stigmer run <name> --message \"...\"");
        screen.info("  - Update and redeploy: edit code and run 'stigmer apply' again");
        screen.blank();
    }
}
