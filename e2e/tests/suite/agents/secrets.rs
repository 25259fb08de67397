//! Who gets to know a secret of an execution.

use serde_json::json;
use stigmer_api::{
    agent::{StdioServer, mcp_server_definition::ServerType},
    agent_execution::ToolCallStatus,
    json::to_json,
};
use stigmer_e2e::harness::{Expectation, Reply, budget::AGENT, story};

use super::at_work::{TASK, agent_with, calls, start, stdio, variable};
use crate::{own, then};

#[test]
fn agt_07_a_secret_reaches_the_server_that_names_it_and_nobody_else() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let reveal = json!({"name": "API_TOKEN"});
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::calling("trusted__reveal", &reveal).then_call("other__reveal", &reveal),
        ));
        env.llm().expect(Expectation::result_containing(
            "it is not set",
            Reply::text("Done."),
        ));
        let token = t.secret("API_TOKEN");
        let mut trusted = stdio("trusted");
        trusted.server_type = Some(ServerType::Stdio(StdioServer {
            command: own::mcp_server().into(),
            env_placeholders: [("API_TOKEN".to_owned(), "${API_TOKEN}".to_owned())].into(),
            ..Default::default()
        }));
        let id = start(&env, agent_with([trusted, stdio("other")]), |execution| {
            variable(execution, "API_TOKEN", &token, true);
            variable(execution, "REGION", "eu-west", false);
        })
        .await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        let status = finished.execution.status.clone().unwrap_or_default();
        let done = ToolCallStatus::ToolCallCompleted;
        // The server told the value; what the model and the record get of it is three stars.
        assert_eq!(
            calls(&status),
            [
                ("trusted__reveal", done, "it is ***"),
                ("other__reveal", done, "it is not set"),
            ]
        );
        t.step("the model reads the names of variables, and of secrets no more than that");
        let requests = env.llm().requests();
        let system = requests[0].messages_of("system").concat();
        assert!(
            system.ends_with("\n- API_TOKEN: (secret)\n- REGION: eu-west"),
            "{system:?}"
        );
        for request in &requests {
            assert!(
                !request.body.to_string().contains(&token),
                "the model read the secret"
            );
        }
        let record = to_json(&finished.execution).to_string();
        assert!(!record.contains(&token), "the record holds the secret");
        Ok(())
    });
}
