//! Section 11 of the acceptance list: what is private to a test is private.

mod ended;
mod hermetic;
pub(crate) mod killed;
mod nightly;
mod offline;
mod parallel;
mod rebuilt;
mod tripwires;

use std::{collections::BTreeMap, fs};

use stigmer_api::{Resource, agent::Agent};
use stigmer_e2e::harness::{Component, Environment, Part, Project, budget::AGENT, story};

use crate::{pipeline::Inner, specimen, then};

/// The environment a process was started with, as the system tells it.
fn variables(part: &Part) -> std::io::Result<BTreeMap<String, String>> {
    let block = fs::read(format!("/proc/{}/environ", part.pid()))?;
    let text = String::from_utf8_lossy(&block).into_owned();
    Ok(text
        .split('\0')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect())
}

#[test]
fn iso_02_everything_an_environment_owns_is_its_own() {
    story(async |t| {
        let (one, two) = tokio::try_join!(t.environment().start(), t.environment().start())?;
        let own = |env: &Environment| -> std::io::Result<Vec<String>> {
            let server = variables(env.server())?;
            let runner = variables(env.agent_runner())?;
            let workflow_runner = variables(env.workflow_runner())?;
            assert_eq!(server["HOME"], env.home());
            for variable in ["DB_PATH", "STORAGE_PATH"] {
                assert!(
                    server[variable].starts_with(env.folder().as_str()),
                    "{variable} is {}",
                    server[variable]
                );
            }
            // The system chose a port and gives it to nobody else before the server has it.
            assert!(
                env.server()
                    .address()
                    .ends_with(&format!(":{}", server["GRPC_PORT"])),
                "the server was told port {} and listens on {}",
                server["GRPC_PORT"],
                env.server().address()
            );
            assert_eq!(server["TEMPORAL_NAMESPACE"], env.namespace());
            for runner in [&runner, &workflow_runner] {
                assert_eq!(runner["HOME"], env.home());
                assert_eq!(runner["TEMPORAL_NAMESPACE"], env.namespace());
                assert_eq!(runner["STIGMER_BACKEND_ENDPOINT"], env.server().address());
            }
            Ok(vec![
                server["HOME"].clone(),
                server["DB_PATH"].clone(),
                server["STORAGE_PATH"].clone(),
                server["TEMPORAL_NAMESPACE"].clone(),
                env.server().address(),
                runner["STIGMER_LLM_BASE_URL"].clone(),
            ])
        };
        t.step("compare what the processes were given");
        for (first, second) in own(&one)?.iter().zip(own(&two)?) {
            assert_ne!(*first, second);
        }
        t.step("a process gets what is listed here, and nothing of the developer's own");
        for part in one.parts() {
            let own = match part.component() {
                Component::Server => &SERVER[..],
                Component::WorkflowRunner => &WORKFLOW_RUNNER[..],
                Component::AgentRunner => &AGENT_RUNNER[..],
            };
            let mut given = EVERY_PART
                .into_iter()
                .chain(own.iter().copied())
                .collect::<Vec<_>>();
            given.sort_unstable();
            let known = variables(part)?.into_keys().collect::<Vec<_>>();
            assert_eq!(known, given, "{:?}", part.component());
        }
        t.step("the CLI keeps its settings in the environment's HOME, too");
        for env in [&one, &two] {
            let settings = env.cli().args(["config", "path"]).run().await?;
            settings.exited_with(0)?;
            assert!(
                settings.stdout.starts_with(&format!("{}/", env.home())),
                "{:?} is not in {}",
                settings.stdout,
                env.home()
            );
        }
        Ok(())
    });
}

/// The variables of every part.
const EVERY_PART: [&str; 10] = [
    "HOME",
    "LANG",
    "LOG_LEVEL",
    "PATH",
    "RUST_BACKTRACE",
    "STIGMER_E2E_RUN",
    "STIGMER_E2E_TEST",
    "STIGMER_READY_FILE",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_SERVICE_ADDRESS",
];
/// What the server gets besides.
const SERVER: [&str; 4] = ["DB_PATH", "GRPC_HOST", "GRPC_PORT", "STORAGE_PATH"];
/// What the workflow-runner gets besides.
const WORKFLOW_RUNNER: [&str; 1] = ["STIGMER_BACKEND_ENDPOINT"];
/// What the agent-runner gets besides.
const AGENT_RUNNER: [&str; 3] = [
    "STIGMER_BACKEND_ENDPOINT",
    "STIGMER_LLM_BASE_URL",
    "STIGMER_LLM_MODEL",
];

#[test]
fn iso_06_the_same_agent_name_in_two_environments_is_two_agents() {
    story(async |t| {
        let (one, two) = tokio::try_join!(
            t.environment().answering("Answer of the first.").start(),
            t.environment().answering("Answer of the second.").start(),
        )?;
        let environments = [
            (&one, "first", "Answer of the first."),
            (&two, "second", "Answer of the second."),
        ];
        let instructions = |which: &str| format!("These are the instructions of the {which}.");
        let project = Project::with_agents(&t, &[("reviewer", "first", &instructions("first"))])?;
        let mut ids = Vec::new();
        for (env, which, _) in environments {
            t.step(format!("apply in the {which} environment"));
            project.set_agents(&[("reviewer", which, &instructions(which))])?;
            let rows = then::applied(env, &project.cli(env).args(["apply"]).run().await?).await?;
            assert_eq!(rows[0].known(), ("Agent", "reviewer", "✓ Created"));
            ids.push(rows[0].id.clone());
        }
        assert_ne!(ids[0], ids[1]);
        t.step("each knows its own and not the other's");
        for (i, (env, which, answer)) in environments.into_iter().enumerate() {
            let agent: Agent = env.api().by_slug("reviewer").await?;
            assert_eq!(agent.id(), ids[i]);
            assert_eq!(
                agent.spec.map(|spec| spec.description).as_deref(),
                Some(which)
            );
            let foreign = env.api().get::<Agent>(&ids[1 - i]).await.unwrap_err();
            assert_eq!(foreign.code(), tonic::Code::NotFound);
            let run = env
                .cli()
                .args(["run", "reviewer", "--follow=false"])
                .run()
                .await?;
            run.exited_with(0)?;
            let finished = then::completed(env, &then::started(env, &run).await?, AGENT).await?;
            assert_eq!(
                stigmer_e2e::harness::answer_of(&finished.execution),
                Some(answer)
            );
            let requests = env.llm().requests();
            assert_eq!(requests.len(), 1, "requests went to the wrong model");
            assert!(
                requests[0]
                    .messages_of("system")
                    .join("\n")
                    .contains(&instructions(which))
            );
        }
        Ok(())
    });
}

#[test]
fn iso_03_the_order_and_the_company_of_a_test_do_not_change_its_verdict() {
    story(async |t| {
        // Some without an environment, one with, one that has to fail because its model is missing.
        let names = ["FUL-07", "smk_07", "app_04", "FUL-02"];
        t.step("all of them, in two orders");
        let mut runs = Vec::new();
        for seed in [1, 2] {
            let run = Inner::of(&t, &names)?
                .with(|plan| plan.seed = seed)
                .run()
                .await?;
            run.output.exited_with(100)?.says(&format!("seed {seed}"))?;
            let order = run.json("run.json")?["order"].clone();
            runs.push((order, sorted(run.verdicts()?)));
        }
        assert_ne!(
            runs[0].0, runs[1].0,
            "two seeds give the same order; take another seed"
        );
        assert_eq!(runs[0].1, runs[1].1, "the order changes verdicts");
        t.step("each filter alone");
        let mut alone = Vec::new();
        for name in names {
            alone.extend(Inner::of(&t, &[name])?.run().await?.verdicts()?);
        }
        assert_eq!(
            sorted(alone),
            runs[0].1,
            "a test alone ends otherwise than among others"
        );
        Ok(())
    });
}

fn sorted(mut verdicts: Vec<(String, String)>) -> Vec<(String, String)> {
    verdicts.sort();
    verdicts
}

#[test]
fn iso_09_a_request_that_nobody_expects_and_an_expectation_that_nobody_meets_fail_a_test() {
    story(async |t| {
        let record = specimen::fail_at_the_end(&t, "specimen_leaves_the_model_unsatisfied").await?;
        let findings = record.teardown_findings.join("\n");
        assert!(
            findings.contains("unexpected request to the scripted model"),
            "{findings}"
        );
        assert!(findings.contains("Nobody expects this."), "{findings}");
        assert!(
            findings.contains("no request came with a message containing \"nobody says this\""),
            "{findings}"
        );
        assert_eq!(record.counters.unused_expectations, 1);
        assert!(record.counters.unexpected_requests >= 1);
        Ok(())
    });
}

#[test]
fn iso_09_a_call_that_the_hub_does_not_expect_and_one_that_does_not_come_fail_a_test() {
    story(async |t| {
        let record = specimen::fail_at_the_end(&t, "specimen_leaves_the_hub_unsatisfied").await?;
        let mut findings = record.teardown_findings;
        findings.sort();
        assert_eq!(
            findings.last().map(String::as_str),
            Some("unexpected request to the hub: GET /nobody-expects-this")
        );
        assert_eq!(
            findings[0],
            "the hub expected POST /never-called 1 time(s), and it came 0 time(s)"
        );
        assert_eq!(record.counters.unused_expectations, 1);
        assert!(record.counters.unexpected_requests >= 1);
        Ok(())
    });
}
