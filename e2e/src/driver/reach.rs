//! Whether agents can use the model: asked by the agent-runner itself, from the network that it is in.

use std::time::Duration;

use anyhow::{Context, Result};
use stigmer_e2e::{
    containers::{Containers, Launch, Place},
    session::SharedModel,
    supervise::{Child, StopPolicy, log_tail},
};
use stigmer_e2e_plan::{ContainerPart, ExitCode, Plan, failure};
use tokio::time::timeout;

const NAME: &str = "llm-probe";
/// How long the agent-runner may take to ask; its own limit is shorter.
const LIMIT: Duration = Duration::from_secs(20);

/// Has the agent-runner of `plan` ask for `model` where it will run.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`] with the agent-runner's own words when it cannot use the model.
pub async fn agent_runner_reaches(
    plan: &Plan,
    containers: Option<&Containers>,
    model: &SharedModel,
) -> Result<()> {
    let folder = plan.results.join("services").join(NAME);
    std::fs::create_dir_all(&folder).with_context(|| format!("failed to create {folder}"))?;
    let part = ContainerPart::AgentRunner;
    let place = Place::of(containers, part, NAME, &folder)
        .context("no address for the agent-runner's probe")?;
    let variables = [
        ("STIGMER_LLM_BASE_URL", &model.base_url),
        ("STIGMER_LLM_MODEL", &model.model),
    ];
    let own = |(name, value): (&str, &String)| (name.to_owned(), value.clone());
    let path = std::env::var("PATH").unwrap_or_default();
    let launch = Launch {
        name: NAME,
        program: &plan.stack.agent_runner,
        arguments: vec!["--probe-llm".to_owned()],
        variables: variables
            .map(own)
            .into_iter()
            .chain([("PATH".to_owned(), path)])
            .collect(),
        log: &folder.with_extension("log"),
    };
    let mut probe = Child::spawn(place.spec(launch, 1))?;
    let ended = timeout(LIMIT, probe.ended()).await;
    let told = || log_tail(probe.log(), 1).join(" ");
    let cause = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(_) => told().trim_start_matches("Error: ").to_owned(),
        Err(_) => format!("no answer within {LIMIT:?}: {}", told()),
    };
    probe.stop(StopPolicy::Kill).await?;
    let cause = format!("the agent-runner cannot use the model from where it runs: {cause}");
    let fix =
        "choose an address that it can reach (--llm openai=<base url>,<model>), or another model";
    Err(failure(ExitCode::PrerequisiteMissing, cause, fix))
}
