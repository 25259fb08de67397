//! The settings that are given are the ones in force.

use stigmer_api::{Resource as _, agent::Agent, temporal_names};
use stigmer_e2e::{
    ensure,
    harness::{Daemon, NOBODY, budget::START, story},
    services::free_port,
};
use stigmer_temporal::QueueKind;

use super::{agent, agent_completes};

#[test]
fn dmn_16_the_settings_in_force_are_the_given_ones_and_are_printed() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let port = free_port()?;
        let (db, storage) = (
            daemon.home().join("elsewhere/my.db"),
            daemon.home().join("artefacts"),
        );
        let server_queue = temporal_names::AGENT_EXECUTION_STIGMER.variable;
        let runner_queue = temporal_names::AGENT_EXECUTION_RUNNER.variable;
        let daemon = daemon
            .setting("GRPC_PORT", port.to_string())
            .setting("DB_PATH", db.as_str())
            .setting("STORAGE_PATH", storage.as_str())
            .setting(server_queue, "my-agents")
            .setting(runner_queue, "my-agent-runner");

        t.step("start, and read what is printed");
        let temporal = t.session().temporal.address.clone();
        let start = daemon.cli().args(["server", "start"]).run().await?;
        start
            .exited_with(0)?
            .says_at_line_end(&format!("API:       127.0.0.1:{port}"))?
            .says_at_line_end(&format!("Database:  {db}"))?
            .says_at_line_end(&format!("Storage:   {storage}"))?
            .says_at_line_end(&format!("Temporal:  {temporal} (external)"))?
            .says(" my-agents, ")?
            .says("my-agent-runner")?
            .says_at_line_end(&format!("at {}", daemon.llm().base_url()))?;

        t.step("the same by what each setting does");
        let report = daemon.status().await?;
        assert_eq!(report.address()?, format!("127.0.0.1:{port}"));
        assert_eq!(report.all["llm"]["state"], "reachable");
        assert_eq!(
            report.part("agent-runner")?.task_queues,
            ["my-agent-runner"]
        );
        let api = daemon.api(report.address()?);
        let agent = agent(&api, "configured").await?;
        agent_completes(&t, &api, &agent).await?;
        assert_eq!(
            daemon.llm().requests().len(),
            1,
            "the model that was given is asked"
        );
        assert_eq!(daemon.store().count(Agent::KIND)?, 1, "{db}");
        ensure!(
            !daemon.folder().join("stigmer.db").exists(),
            "there is a store at the default place, too"
        );
        ensure!(storage.exists(), "{storage} was not made");
        for (queue, kind) in [
            ("my-agents", QueueKind::Workflow),
            ("my-agent-runner", QueueKind::Activity),
        ] {
            let pollers = daemon.temporal().pollers(queue, kind).await?;
            assert_eq!(pollers.len(), 1, "{queue}: {pollers:?}");
        }
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_16_two_different_temporals_are_refused_and_a_wrong_setting_is_named() {
    story(async |t| {
        let wrong = [
            (
                "TEMPORAL_HOST_PORT",
                "127.0.0.1:1",
                "TEMPORAL_HOST_PORT=127.0.0.1:1",
            ),
            ("GRPC_PORT", "many", "GRPC_PORT=\"many\""),
            (
                "STIGMER_LLM_PROVIDER",
                "oracle",
                "unsupported LLM provider: oracle",
            ),
            ("STIGMER_SERVER_BIN", "/no/such/server", "/no/such/server"),
        ];
        let daemon = Daemon::prepare(&t).await?;
        for (variable, value, told) in wrong {
            t.step(format!("{variable}={value}"));
            let start = daemon
                .cli()
                .env(variable, value)
                .args(["server", "start"])
                .run()
                .await?;
            start.exited_with(1)?.says(told)?;
            assert_eq!(start.error_lines().len(), 1, "{:?}", start.error_lines());
            daemon.nothing_is_left(&[])?;
        }
        t.step("a Temporal that is not there");
        let start = daemon
            .cli()
            .env("TEMPORAL_SERVICE_ADDRESS", NOBODY)
            .args(["server", "start"])
            .run()
            .await?;
        start
            .exited_with(1)?
            .says(&format!("no Temporal answers at {NOBODY}"))?;
        daemon.nothing_is_left(&[])?;
        t.step("a server that refuses its settings is told with its own words");
        let queue = temporal_names::WORKFLOW_EXECUTION_STIGMER.variable;
        let start = daemon
            .cli()
            .env(queue, temporal_names::AGENT_EXECUTION_STIGMER.default)
            .args(["server", "start"])
            .run()
            .await?;
        start
            .exited_with(1)?
            .says("stigmer-server ended before it was ready")?
            .says(queue)?;
        daemon.nothing_is_left(&[])?;
        Ok(())
    });
}

#[test]
fn dmn_16_a_model_that_is_not_there_is_told_and_stops_no_start() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let daemon = daemon.setting("STIGMER_LLM_BASE_URL", format!("http://{NOBODY}"));
        let start = daemon
            .cli()
            .args(["server", "start"])
            .within(START.limit)
            .run()
            .await?;
        start
            .exited_with(0)?
            .says("The LLM is not reachable")?
            .says(NOBODY)?;
        let report = daemon.status().await?;
        assert_eq!(report.all["llm"]["state"], "unreachable");
        let llm = daemon.cli().args(["server", "llm", "status"]).run().await?;
        llm.exited_with(1)?.says("Not Running")?;
        daemon.stop().await?;
        Ok(())
    });
}
