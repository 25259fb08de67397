//! Requests to the server beside a bare tonic service, and an apply without its build.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use stigmer_api::{ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG, Resource, agent::Agent};
use stigmer_e2e::harness::{Benchmark, Broken, Project, story};
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

use super::bare::{self, Echo};
use super::spread::{quantile, ratio, spread};
use crate::{given, then};

const CLIENTS: usize = 50;
const CALLS: usize = 40;

/// Makes `call` forty times by fifty clients at once, each with a connection of its own to `address`.
async fn hammer<F>(address: &str, call: impl Fn(Channel) -> F) -> Result<Vec<Duration>, Broken>
where
    F: Future<Output = Result<(), tonic::Status>>,
{
    let broken = |error: String| Broken(format!("{address}: {error}"));
    let client = async || {
        let endpoint = Channel::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| broken(error.to_string()))?;
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| broken(error.to_string()))?;
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let start = Instant::now();
            call(channel.clone())
                .await
                .map_err(|status| broken(status.to_string()))?;
            times.push(start.elapsed());
        }
        Ok::<_, Broken>(times)
    };
    Ok(try_join_all((0..CLIENTS).map(|_| client())).await?.concat())
}

async fn by_reference(channel: Channel) -> Result<(), tonic::Status> {
    let reference = ApiResourceReference {
        scope: ApiResourceOwnerScope::Organization as i32,
        org: LOCAL_ORG.to_owned(),
        kind: Agent::KIND as i32,
        slug: "asked-for".to_owned(),
        version: String::new(),
    };
    let mut client = Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|error| tonic::Status::unavailable(error.to_string()))?;
    let path = "/ai.stigmer.agentic.agent.v1.AgentQueryController/getByReference";
    let path = PathAndQuery::from_static(path);
    let codec = ProstCodec::<ApiResourceReference, Agent>::default();
    client
        .unary(Request::new(reference), path, codec)
        .await
        .map(drop)
}

#[test]
fn a_reference_is_resolved_under_fifty_clients_beside_a_bare_echo() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        env.api()
            .apply(given::agent("asked-for", "Answer in one word, always."))
            .await?;
        let bare = Echo::start()?;
        let asked = hammer(&env.server().address(), by_reference).await?;
        let echoed = hammer(&bare.address, Echo::ask).await?;
        bare.stop();
        t.fact("getByReference", spread(&asked));
        t.fact("bare echo", spread(&echoed));
        t.fact(
            "ratio of the p99",
            ratio(quantile(&asked, 0.99), quantile(&echoed, 0.99)),
        );
        Ok(())
    });
}

#[test]
fn ext_03_twelve_agents_are_applied_and_their_program_built_apart() {
    story(async |t| {
        const ROUNDS: usize = 20;
        let env = t.environment().without_runners().start().await?;
        let names: Vec<String> = (1..=12).map(|n| format!("agent-{n}")).collect();
        let mut apply = Benchmark::new(
            "warm apply",
            "`stigmer apply` of twelve agents, from the end of their program to its own",
            bare::PROGRAM,
        );
        let mut deploying = Vec::new();
        let mut whole = Vec::new();
        for round in 0..ROUNDS {
            let instructions = format!("Round {round}: answer in one word.");
            let agents: Vec<_> = names
                .iter()
                .map(|name| (name.as_str(), "", instructions.as_str()))
                .collect();
            let project = Project::with_agents(&t, &agents)?;
            let output = project.cli(&env).args(["apply"]).run().await?;
            then::applied(&env, &output).await?;
            let synthesised = output
                .lines
                .iter()
                .find(|line| line.text.contains("Synthesis complete"))
                .ok_or_else(|| Broken("apply does not say when the program was done".to_owned()))?;
            let took = output.duration.saturating_sub(synthesised.at);
            apply.round(took, bare::program(&t).await?);
            deploying.push(took);
            whole.push(output.duration);
        }
        t.benchmark(apply);
        t.fact("apply after the program's end", spread(&deploying));
        t.fact("apply with build and program", spread(&whole));
        Ok(())
    });
}
