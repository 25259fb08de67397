//! Whether agents can use the model: asked by the agent-runner itself, from the network that it is in.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Url;
use stigmer_e2e::{
    containers::{Containers, Launch, Place},
    harness::Link,
    session::SharedModel,
    supervise::{Child, StopPolicy, log_tail},
};
use stigmer_e2e_plan::{ContainerPart, ExitCode, Plan, failure};
use tokio::time::timeout;

const NAME: &str = "llm-probe";
/// How long the agent-runner may take to ask; its own limit is shorter.
const LIMIT: Duration = Duration::from_secs(20);

/// A way to the model at `base_url` that begins where the edges of tests listen, and its address. From
/// a container this machine is found there only, and agents reach the model through such an edge.
fn edge(base_url: &str) -> Result<(Link, String)> {
    let not_a_model = || format!("no model has the address {base_url}");
    let mut url = Url::parse(base_url).with_context(not_a_model)?;
    let (host, port) = (url.host_str(), url.port_or_known_default());
    let (host, port) = host.zip(port).with_context(not_a_model)?;
    let link = Link::to(&format!("{host}:{port}"))
        .and_then(|link| link.restore().map(|()| link))
        .context("no edge to the model")?;
    let socket = link.socket();
    let set = url.set_ip_host(socket.ip());
    set.and_then(|()| url.set_port(Some(socket.port())))
        .ok()
        .with_context(not_a_model)?;
    Ok((link, url.to_string()))
}

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
    let way = match containers {
        Some(_) => Some(edge(&model.base_url)?),
        None => None,
    };
    let base_url = way.as_ref().map_or(&model.base_url, |(_, url)| url);
    let variables = [
        ("STIGMER_LLM_BASE_URL", base_url),
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
