//! Tests whose story holds, and that have to fail for what their logs, a restart, and a replay show.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, time::Duration};

use stigmer_api::{Resource as _, agent::Agent, temporal_names};
use stigmer_e2e::harness::{
    Component,
    budget::{START, WF},
    story,
};
use stigmer_temporal::WorkerSpec;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

use crate::{given, worker::Worker};

#[test]
#[ignore = "it has to fail; scenario LOG-11 runs it"]
fn specimen_whose_server_logs_an_error() {
    story(async |t| {
        let env = t
            .environment()
            .over_link()
            .without_runners()
            .start()
            .await?;
        let agent = given::agent("helper", "You help whoever asks.");
        let agent: Agent = env.api().create(agent).await?;
        t.expects_error("stigmer-server", "the sky falls", "it does not");
        t.step("an execution is created while Temporal is away, and nobody expects its error");
        env.link().cut();
        let execution = given::execution("ask", agent.id(), "Is anybody there?");
        let refused = env.api().with_deadline(WF.limit).create(execution).await;
        refused.expect_err("Temporal is away");
        env.link().restore()?;
        Ok(())
    });
}

/// A server that forgets all it was told whenever it starts.
const FORGETFUL: &str = "#!/bin/sh\nrm -f \"$DB_PATH\"*\nexec \"$REAL_SERVER\" \"$@\"\n";

#[test]
#[ignore = "it has to fail; scenario LOG-12 runs it"]
fn specimen_whose_server_loses_data() {
    story(async |t| {
        let program = t.folder().join("forgetful-server");
        std::fs::write(&program, FORGETFUL)?;
        std::fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        let server = t.session().stack.server.clone();
        let env = t
            .environment()
            .without_runners()
            .with_program(Component::Server, program.as_str())
            .setting(Component::Server, "REAL_SERVER", server)
            .start()
            .await?;
        let agent = given::agent("helper", "You help whoever asks.");
        env.api().create(agent).await?;
        Ok(())
    });
}

/// A ping as an earlier build might have answered it: after a moment.
#[workflow]
#[derive(Default)]
struct EarlierPing;

#[workflow_methods]
impl EarlierPing {
    #[run(name = temporal_names::workflow::PING)]
    async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<String> {
        ctx.timer(Duration::from_millis(1)).await;
        Ok("pong".to_owned())
    }
}

#[test]
#[ignore = "it has to fail; scenario LOG-13 runs it"]
fn specimen_whose_workflow_does_not_replay() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        // A queue of the stack, whose workflows are replayed, that no part polls in this environment.
        let queue = temporal_names::AGENT_EXECUTION_RUNNER.default;
        let spec = WorkerSpec::new(queue, "earlier").with_workflow::<EarlierPing>();
        let worker = Worker::start(&env, spec).await?;
        let answered = env.temporal().ping(queue, None, START.limit).await;
        worker.stop().await?;
        Ok(answered?)
    });
}
