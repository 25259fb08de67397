//! `stigmer run`: starts an agent or a workflow and follows it.

mod follow;
mod runtime_env;
mod select;

use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use stigmer_api::{LOCAL_ORG, Resource, agent::Agent, workflow::Workflow};

use crate::{
    api::{Api, Deployable, Execution, Phase, Request, Runnable, Snapshot},
    cli::{OutputFormat, RunArgs},
    project::Project,
    render::{ResourceReport, RunReport, Screen, print_json},
};

use super::{
    INTERRUPTED,
    apply::{Deployed, apply_quietly, require_local_backend},
};

/// Starts what the arguments name and, unless told otherwise, shows it to its end.
pub async fn execute(args: RunArgs) -> Result<ExitCode> {
    let screen = match args.output {
        OutputFormat::Text => Screen::text(),
        OutputFormat::Json => Screen::silent(),
    };
    let request = Request {
        org: args.org.clone().unwrap_or_else(|| LOCAL_ORG.to_owned()),
        message: args.message.clone(),
        runtime_env: runtime_env::parse_all(&args.runtime_env)
            .context("Invalid runtime environment format")?,
    };
    require_local_backend()?;
    let in_project = Project::is_here()?;
    if args.target.is_none() && !in_project {
        bail!(
            "No Stigmer.yaml found in current directory\n\n\
             Run something by its name or id: stigmer run <name-or-id>\n\
             Or change to a project directory and run: stigmer run"
        );
    }
    let api = Api::connect().await?;
    let mut rows = Vec::new();
    let target = match &args.target {
        Some(target) => {
            if in_project {
                screen.info("📁 Detected Stigmer project - applying latest code");
                screen.blank();
                apply_quietly(&api, &request.org, args.output, &mut rows)
                    .await
                    .context("Failed to apply")?;
                screen.success(format!("✓ Deployed {} resource(s)", rows.len()));
                screen.blank();
            }
            find(&api, &request.org, target, &screen).await?
        }
        None => {
            let deployed = apply_quietly(&api, &request.org, args.output, &mut rows)
                .await
                .context("Failed to deploy")?;
            screen.success(format!("Deployed: {}", counts(&deployed)));
            select::choose(deployed, &screen).await?
        }
    };
    let run = Run {
        api: &api,
        request: &request,
        deployed: &rows,
        args: &args,
        screen: &screen,
    };
    match target {
        Target::Agent(agent) => run.start(agent).await,
        Target::Workflow(workflow) => run.start(workflow).await,
    }
}

/// What is to be run.
#[derive(Debug)]
enum Target {
    Agent(Agent),
    Workflow(Workflow),
}

/// The workflow that `target` names, else the agent.
async fn find(api: &Api, org: &str, target: &str, screen: &Screen) -> Result<Target> {
    let workflow = Workflow::find(api, org, target).await?;
    let agent = Agent::find(api, org, target).await?;
    match (workflow, agent) {
        (Some(workflow), agent) => {
            if agent.is_some() {
                screen.info(format!(
                    "'{target}' is a workflow and an agent; running the workflow"
                ));
            }
            Ok(Target::Workflow(workflow))
        }
        (None, Some(agent)) => Ok(Target::Agent(agent)),
        (None, None) => bail!(
            "Agent or Workflow not found: {target}\n\n\
             Checked for:\n  • Workflow with ID/name: {target}\n  • Agent with ID/name: {target}\n\n\
             Possible reasons:\n  • it is not deployed yet: run 'stigmer apply' in its project\n  \
             • its name is spelled differently\n  • it is in another organization than '{org}': see --org"
        ),
    }
}

fn counts(deployed: &Deployed) -> String {
    match (deployed.agents.len(), deployed.workflows.len()) {
        (agents, 0) => format!("{agents} agent(s)"),
        (0, workflows) => format!("{workflows} workflow(s)"),
        (agents, workflows) => format!("{agents} agent(s) and {workflows} workflow(s)"),
    }
}

/// One run, once it is known of what.
struct Run<'a> {
    api: &'a Api,
    request: &'a Request,
    deployed: &'a [ResourceReport],
    args: &'a RunArgs,
    screen: &'a Screen,
}

impl Run<'_> {
    async fn start<K: Runnable>(&self, resource: K) -> Result<ExitCode> {
        let (screen, of) = (self.screen, K::Execution::OF);
        screen.info(format!("Creating {of} execution..."));
        let execution = resource
            .execution(execution_name(), self.request)
            .create(self.api)
            .await
            .context("failed to create execution")?;
        let id = execution.id().to_owned();
        screen.success(format!(
            "✓ {} execution started: {}",
            K::TYPE,
            resource.name()
        ));
        screen.info(format!("  Execution ID: {id}"));
        screen.blank();
        if !self.args.follow() {
            screen.info("Not following; the execution goes on at the server");
            self.report(&resource, &id, &execution.snapshot());
            return Ok(ExitCode::SUCCESS);
        }
        let last = tokio::select! {
            last = follow::to_the_end::<K::Execution>(self.api, &id, screen) => last?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                screen.blank();
                screen.info(format!("Not following any more; execution {id} goes on at the server"));
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        self.report(&resource, &id, &last);
        match last.phase {
            Phase::Failed if last.error.is_empty() => {
                bail!("execution {id} failed without saying why")
            }
            Phase::Failed => bail!("execution {id} failed: {}", last.error),
            Phase::Cancelled => bail!("execution {id} was cancelled"),
            _ => Ok(ExitCode::SUCCESS),
        }
    }

    fn report<K: Deployable>(&self, resource: &K, execution_id: &str, last: &Snapshot) {
        if self.args.output == OutputFormat::Json {
            print_json(&RunReport {
                deployed: self.deployed,
                r#type: K::TYPE,
                name: resource.name(),
                execution_id,
                phase: last.phase,
                error: Some(last.error.as_str()).filter(|error| !error.is_empty()),
            });
        }
    }
}

/// `execution-<unix microseconds>`.
fn execution_name() -> String {
    // A clock before 1970 is no reason to refuse to run.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros());
    format!("execution-{now}")
}
