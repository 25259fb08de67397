//! How soon a subscriber sees what a runner reports.

use std::time::Instant;

use serde_json::json;
use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, AgentExecutionStatus},
    json::from_json,
};
use stigmer_e2e::harness::{Benchmark, Broken, story};
use tonic::transport::Channel;

use super::bare::Echo;
use crate::given;

fn report(phase: &str, text: &str) -> Result<AgentExecutionStatus, Broken> {
    let messages = json!([{"type": "MESSAGE_AI", "content": text}]);
    let status = from_json(&json!({"phase": phase, "messages": messages}));
    status.map_err(|error| Broken(format!("a status of this test: {error}")))
}

#[test]
fn ext_03_a_report_reaches_its_subscriber_beside_a_bare_echo() {
    story(async |t| {
        const ROUNDS: usize = 200;
        let env = t.environment().without_runners().start().await?;
        let agent: Agent = env
            .api()
            .apply(given::agent("watched", "Answer in one word."))
            .await?;
        let execution = given::execution("watched", agent.id(), "Hello?");
        let execution = env.api().create(execution).await?;
        let mut watch = env
            .api()
            .subscribe::<AgentExecution>(execution.id())
            .await?;
        watch.next().await?;
        let echo = Echo::start()?;
        let channel = Channel::from_shared(format!("http://{}", echo.address));
        let channel = channel
            .map_err(|error| Broken(error.to_string()))?
            .connect_lazy();
        Echo::ask(channel.clone())
            .await
            .map_err(|status| Broken(status.to_string()))?;
        let mut latency = Benchmark::new(
            "stream latency",
            "from the updateStatus call of a runner to the snapshot at the subscriber",
            "one call of a bare tonic health service",
        );
        for round in 0..ROUNDS {
            let text = format!("Word {round}.");
            let status = report("EXECUTION_IN_PROGRESS", &text)?;
            let begin = Instant::now();
            let seen = async {
                while let Some(snapshot) = watch.next().await? {
                    let messages = snapshot.resource.status.unwrap_or_default().messages;
                    if messages.iter().any(|message| message.content == text) {
                        return Ok(begin.elapsed());
                    }
                }
                Err(Broken("the stream ended too early".to_owned()).into())
            };
            let (reported, seen) =
                futures_util::join!(env.api().update_status(execution.id(), status), seen);
            reported?;
            let seen: Result<_, stigmer_e2e::harness::CheckError> = seen;
            let begin = Instant::now();
            let asked = Echo::ask(channel.clone()).await;
            asked.map_err(|status| Broken(status.to_string()))?;
            latency.round(seen?, begin.elapsed());
        }
        echo.stop();
        let end = report("EXECUTION_COMPLETED", "Done.")?;
        env.api().update_status(execution.id(), end).await?;
        t.benchmark(latency);
        Ok(())
    });
}
