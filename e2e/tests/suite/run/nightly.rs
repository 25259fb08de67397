//! Many runs of one workflow at the same time.

use stigmer_api::workflow_execution::ExecutionPhase;
use stigmer_e2e::harness::{Call, Response, story};

use super::{
    at_once::complete_at_once,
    workflows::{PULL, pull_request, with_fixture_07},
};

#[test]
fn run_11_twenty_runs_at_the_same_time_are_twenty_executions() {
    story(async |t| {
        const RUNS: usize = 20;
        let (env, deployed) = with_fixture_07(&t).await?;
        env.hub()
            .expect_times(RUNS, Call::get(PULL), Response::json(pull_request()));
        t.step("start twenty at once");
        let mut ids = complete_at_once(&env, &deployed, RUNS).await?;
        assert_eq!(ids.len(), RUNS);
        t.step("the API knows exactly these, and each called once");
        let completed = ExecutionPhase::ExecutionCompleted;
        let listed = env.api().workflow_executions(completed).await?;
        let mut listed = listed
            .iter()
            .map(|execution| stigmer_api::Resource::id(execution).to_owned())
            .collect::<Vec<_>>();
        ids.sort();
        listed.sort();
        assert_eq!(listed, ids);
        assert_eq!(env.hub().received().len(), RUNS);
        Ok(())
    });
}
