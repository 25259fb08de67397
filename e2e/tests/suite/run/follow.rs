//! Following an execution from the terminal.

use std::time::{Duration, Instant};

use stigmer_api::agent_execution::{AgentExecution, ExecutionPhase};
use stigmer_e2e::harness::{
    Expectation, Gate, Reply, answer_of, budget::AGENT, execution_id, story,
};

use crate::{
    fixture::Deployed,
    then::{self, phase_of},
};

#[test]
fn run_16_ctrl_c_ends_the_command_at_once_and_not_the_execution() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        t.step("follow a run whose model waits in the middle of its answer");
        let gate = Gate::closed();
        let reply = Reply::nothing()
            .then("First half, ")
            .then_wait(&gate)
            .then("second half.");
        env.llm()
            .expect(Expectation::message_containing("Take your time.", reply));
        let mut run = env
            .cli()
            .args(["run", "code-reviewer", "--message", "Take your time."])
            .spawn()?;
        let line = run
            .wait_for_line("an execution id", |line| execution_id(line).is_some())
            .await?;
        let id = execution_id(&line.text).unwrap_or_default().to_owned();
        run.wait_for_line("the start of the execution", |line| {
            line.contains("Execution started")
        })
        .await?;
        t.step("press Ctrl-C");
        let pressed = Instant::now();
        run.interrupt();
        let output = run.finish().await?;
        assert!(
            pressed.elapsed() < Duration::from_secs(1),
            "it took {:?} to end",
            pressed.elapsed()
        );
        output.exited_with(130)?.does_not_say("Done!")?;
        t.step("let the model go on: the execution does, too");
        let before: AgentExecution = env.api().get(&id).await?;
        assert_eq!(phase_of(&before), ExecutionPhase::ExecutionInProgress);
        gate.open();
        let finished = then::completed(&env, &id, AGENT).await?;
        assert_eq!(
            answer_of(&finished.execution),
            Some("First half, second half.")
        );
        Ok(())
    });
}
