//! A newer server over what an older one stored.

use std::fs;

use rusqlite::Connection;
use stigmer_api::agent_execution::{AgentExecution, ExecutionPhase};
use stigmer_e2e::harness::{
    Broken, Environment, Failure, Project, Test, answer_of,
    budget::{AGENT, NOWORKER},
    story,
};

use crate::then;

/// What release 0.1.0 stored, as SQL.
const RELEASE: &str = "fixtures/releases/0.1.0-3d91078.sql";
const AGENT_ID: &str = "agt-01m86jj43vz0ntpnr2dgnq8g0y";
const ENDED: &str = "aex-01m86jj45qx0nr59nyzb3h40qg";
const IN_FLIGHT: &str = "aex-01m86jj45qx0nr59nyzb3h40q0";

/// Puts the older server's database in place of the environment's.
async fn upgrade(t: &Test, env: &Environment) -> Result<(), Failure> {
    env.server().stop().await?;
    let file = env.store().path().to_owned();
    for part in ["", "-wal", "-shm"] {
        let part = format!("{file}{part}");
        if fs::exists(&part)? {
            fs::remove_file(&part)?;
        }
    }
    let sql = fs::read_to_string(t.session().root.join(RELEASE))?;
    let stored = Connection::open(&file).and_then(|database| database.execute_batch(&sql));
    stored.map_err(|error| Broken(format!("{RELEASE}: {error}")))?;
    env.server().start_again().await?;
    Ok(())
}

#[test]
fn ext_10_what_the_previous_release_stored_is_read_and_what_was_in_flight_ends() {
    story(async |t| {
        let env = t.environment().answering("Still here.").start().await?;
        t.step("start the server over the database of the previous release");
        upgrade(&t, &env).await?;
        t.step("what had ended reads as it was");
        let ended: AgentExecution = env.api().get(ENDED).await?;
        assert_eq!(then::phase_of(&ended), ExecutionPhase::ExecutionCompleted);
        assert_eq!(answer_of(&ended), Some("First half, second half."));
        t.step("what was in flight ends, and says why");
        let in_flight = then::finished(&env, IN_FLIGHT, NOWORKER).await?.execution;
        assert_eq!(then::phase_of(&in_flight), ExecutionPhase::ExecutionFailed);
        assert!(
            !in_flight.status.unwrap_or_default().error.is_empty(),
            "no cause"
        );
        t.step("the agent of the previous release runs, and is still itself when applied again");
        let run = env
            .cli()
            .args(["run", "code-reviewer", "--follow=false"])
            .run()
            .await?;
        let id = then::started(&env, &run).await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        assert_eq!(
            finished.execution.spec.unwrap_or_default().agent_id,
            AGENT_ID
        );
        let again = Project::fixture(&t, "01-basic-agent")?
            .cli(&env)
            .args(["apply"])
            .run()
            .await?;
        let rows = then::applied(&env, &again).await?;
        assert!(rows.iter().any(|row| row.id == AGENT_ID), "{rows:?}");
        Ok(())
    });
}
