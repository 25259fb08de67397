//! `stigmer run`: starts an agent or a workflow and follows it.

mod runtime_env;
mod select;

use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use stigmer_api::{LOCAL_ORG, Resource, agent::Agent, workflow::Workflow};

use crate::{
    api::{Api, Deployable, Execution, Request, Runnable, Snapshot},
    cli::RunArgs,
    project::Project,
    render::{ExecutionReport, Output, ResourceReport, RunReport, Screen},
};

use super::{
    apply::{Deployed, apply_quietly},
    connect::{or_start_daemon, require_local_backend},
    follow::{self, Followed},
};

/// Starts what the arguments name and, unless told otherwise, shows it to its end.
pub async fn execute(args: RunArgs, out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
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
    let attempt = Api::connect().await;
    let api = match in_project {
        true => or_start_daemon(attempt, screen).await?,
        false => attempt?,
    };
    let mut rows = Vec::new();
    let target = match &args.target {
        Some(target) => {
            if in_project {
                screen.info("📁 Detected Stigmer project - applying latest code");
                screen.blank();
                apply_quietly(&api, &request.org, out, &mut rows)
                    .await
                    .context("Failed to apply")?;
                screen.success(format!("✓ Deployed {} resource(s)", rows.len()));
                screen.blank();
            }
            find(&api, &request.org, target, screen).await?
        }
        None => {
            let deployed = apply_quietly(&api, &request.org, out, &mut rows)
                .await
                .context("Failed to deploy")?;
            screen.success(format!("Deployed: {}", counts(&deployed)));
            select::choose(deployed, screen).await?
        }
    };
    let run = Run {
        api: &api,
        request: &request,
        deployed: &rows,
        follow: args.follow(),
        out,
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
    follow: bool,
    out: &'a Output,
}

impl Run<'_> {
    async fn start<K: Runnable>(&self, resource: K) -> Result<ExitCode> {
        let (screen, of) = (self.out.screen(), K::Execution::OF);
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
        if !self.follow {
            screen.info(format!("View logs: stigmer execution watch {id}"));
            self.report(&resource, &id, &execution.snapshot());
            return Ok(ExitCode::SUCCESS);
        }
        match follow::follow::<K::Execution>(self.api, &id, screen).await? {
            Followed::Interrupted => Ok(follow::interrupted()),
            Followed::ToTheEnd(last) => {
                self.report(&resource, &id, &last);
                follow::verdict(&id, &last)
            }
        }
    }

    fn report<K: Runnable>(&self, resource: &K, execution_id: &str, last: &Snapshot) {
        self.out.report(&RunReport {
            deployed: self.deployed,
            r#type: K::TYPE,
            name: resource.name(),
            execution: ExecutionReport::new::<K::Execution>(execution_id, last),
        });
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
