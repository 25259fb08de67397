//! Commands that need a server start one.

use stigmer_api::agent::Agent;
use stigmer_e2e::{
    ensure,
    harness::{Daemon, NOBODY, Project, budget::START, story},
};

use super::true_status;

#[test]
fn dmn_17_apply_starts_a_daemon_when_none_runs_and_uses_one_that_does() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let project = Project::with_agents(&t, &[("helper", "Helps", "Answer in one word.")])?;
        t.step("apply without a daemon");
        let apply = || {
            daemon
                .cli()
                .cwd(project.directory())
                .args(["apply"])
                .within(START.limit)
        };
        let first = apply().run().await?;
        first
            .exited_with(0)?
            .says("Starting local backend daemon...")?
            .says("Daemon started successfully")?
            .says("Deployment successful")?;
        let report = true_status(&t, &daemon).await?;
        let agent: Agent = daemon.api(report.address()?).by_slug("helper").await?;
        assert_eq!(agent.metadata.unwrap_or_default().name, "helper");
        t.step("apply and run with the daemon");
        let second = apply().run().await?;
        second
            .exited_with(0)?
            .does_not_say("Starting local backend")?;
        let run = daemon
            .cli()
            .args(["run", "helper", "--message", "Say it."])
            .run()
            .await?;
        run.exited_with(0)?.says("Done.")?;
        assert_eq!(
            daemon.status().await?.pid("stigmer-server")?,
            report.pid("stigmer-server")?
        );
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_17_with_an_explicit_address_no_daemon_is_started() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let project = Project::with_agents(&t, &[("helper", "Helps", "Answer in one word.")])?;
        let cli = daemon
            .cli()
            .env("STIGMER_SERVER_ADDR", NOBODY)
            .cwd(project.directory());
        let apply = cli.clone().args(["apply"]).run().await?;
        apply
            .exited_with(1)?
            .says("Cannot connect")?
            .does_not_say("Starting local backend")?;
        let run = cli.args(["run"]).run().await?;
        run.exited_with(1)?.does_not_say("Starting local backend")?;
        daemon.nothing_is_left(&[])?;
        assert_eq!(daemon.status().await?.state, "stopped");
        Ok(())
    });
}

#[test]
fn dmn_17_two_commands_at_the_same_time_start_one_daemon() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let projects = [
            Project::with_agents(&t, &[("first", "Helps", "Answer in one word.")])?,
            Project::template(&t, "agents")?,
        ];
        let apply = |project: &Project| {
            let cli = daemon.cli().cwd(project.directory());
            cli.args(["apply"]).within(START.limit).run()
        };
        let (one, other) = tokio::try_join!(apply(&projects[0]), apply(&projects[1]))?;
        one.exited_with(0)?;
        other.exited_with(0)?;
        let said = "Starting local backend daemon...";
        let starts = one.lines_with(said) + other.lines_with(said);
        ensure!(starts == 1, "{starts} commands started a daemon");
        true_status(&t, &daemon).await?;
        daemon.stop().await?;
        Ok(())
    });
}
