//! The whole path, from start to stop.

use std::time::{Duration, Instant};

use serde_json::json;
use stigmer_e2e::harness::{
    Call, CheckError, Environment, Response, answer_of,
    budget::{AGENT, WF},
    story,
};

use crate::{fixture::Deployed, then};

#[test]
fn smk_08_one_path_from_start_to_stop_takes_less_than_a_minute() {
    story(async |t| {
        let start = Instant::now();
        let env = t
            .environment()
            .answering("The code looks good to me.")
            .start()
            .await?;
        let agents = Deployed::apply(&t, &env, "01").await?;
        let workflow = Deployed::apply(&t, &env, "07").await?;
        t.step("run both agents and the workflow, and read what they gave");
        assert_eq!(agents.rows.len(), 2);
        for row in &agents.rows {
            run_agent(&env, &row.name).await?;
        }
        run_workflow(&env, workflow.workflow()?).await?;
        t.step("stop");
        for part in [env.workflow_runner(), env.agent_runner(), env.server()] {
            let stopped = part.stop().await?.expect("it was running");
            assert!(
                !stopped.forced && stopped.status.is_some_and(|status| status.success()),
                "{stopped:?}"
            );
        }
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it took {:?}",
            start.elapsed()
        );
        Ok(())
    });
}

async fn run_agent(env: &Environment, name: &str) -> Result<(), CheckError> {
    let arguments = ["run", name, "--message", "Please review."];
    let run = env.cli().args(arguments).run().await?;
    run.exited_with(0)?;
    let id = then::started(env, &run).await?;
    let finished = then::completed(env, &id, AGENT).await?;
    assert_eq!(
        answer_of(&finished.execution),
        Some("The code looks good to me.")
    );
    Ok(())
}

async fn run_workflow(env: &Environment, name: &str) -> Result<(), CheckError> {
    env.hub().expect(
        Call::get("/repos/stigmer/hello-stigmer/pulls/1"),
        Response::json(json!({
            "title": "feat: add greeting", "body": "Adds a greeting", "state": "open",
            "user": {"login": "octo"},
        })),
    );
    let run = env.cli().args(["run", name]).run().await?;
    run.exited_with(0)?;
    let id = then::workflow::started(env, &run).await?;
    let finished = then::workflow::completed(env, &id, WF).await?;
    let response = then::workflow::output(&finished.execution, "processResponse")?;
    assert_eq!(
        response,
        json!({
            "prTitle": "feat: add greeting", "prBody": "Adds a greeting", "prState": "open",
            "prAuthor": "octo", "status": "success",
        })
    );
    Ok(())
}
