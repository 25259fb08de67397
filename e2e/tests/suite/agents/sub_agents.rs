//! Sub-agents: asked for by the model, at work with what they are allowed, on record.

use serde_json::json;
use stigmer_api::{
    agent::{McpToolSelection, SubAgent},
    agent_execution::{MessageType, SubAgentStatus, ToolCallStatus},
};
use stigmer_e2e::harness::{Expectation, Reply, story};

use super::at_work::{TASK, agent_with, calls, completed, stdio, texts};

#[test]
fn fix_04_a_sub_agent_works_on_what_the_model_hands_to_it() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let mut agent = agent_with([stdio("calc"), stdio("private")]);
        agent.spec.get_or_insert_default().sub_agents = vec![SubAgent {
            name: "accountant".to_owned(),
            description: "Adds up numbers.".to_owned(),
            instructions: "You are an accountant.".to_owned(),
            mcp_servers: vec!["calc".to_owned(), "unknown".to_owned()],
            mcp_tool_selections: [(
                "calc".to_owned(),
                McpToolSelection {
                    enabled_tools: vec!["add".to_owned()],
                },
            )]
            .into(),
            ..Default::default()
        }];
        let task = json!({"agent": "accountant", "task": "Add 40 and 2."});
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::calling("delegate_task", &task),
        ));
        let adding = Reply::calling("calc__add", &json!({"a": 40, "b": 2}));
        env.llm()
            .expect(Expectation::message_containing("Add 40 and 2.", adding));
        env.llm().expect(Expectation::result_containing(
            "The sum",
            Reply::text("It is 42."),
        ));
        env.llm().expect(Expectation::result_containing(
            "42",
            Reply::text("The sum is 42."),
        ));
        let status = completed(&env, agent).await?;

        t.step("the sub-agent has its own instructions, its task, and the tools it is allowed");
        let requests = env.llm().requests();
        assert!(requests[0].tools().contains(&"delegate_task"));
        assert!(requests[0].tools().contains(&"private__add"));
        assert_eq!(requests[1].tools(), ["calc__add"]);
        assert_eq!(
            requests[1].messages_of("system"),
            ["You are an accountant."]
        );
        assert_eq!(requests[1].messages_of("user"), ["Add 40 and 2."]);
        assert_eq!(requests[3].messages_of("tool"), ["The sum is 42."]);

        t.step("its run and its calls are on record, and only the agent speaks to the person");
        let [execution] = &status.sub_agent_executions[..] else {
            panic!("{:?}", status.sub_agent_executions)
        };
        assert_eq!(
            (
                execution.name.as_str(),
                execution.input.as_str(),
                execution.output.as_str()
            ),
            ("accountant", "Add 40 and 2.", "The sum is 42.")
        );
        assert_eq!(execution.status(), SubAgentStatus::SubAgentCompleted);
        assert!(execution.started_at <= execution.completed_at);
        let done = ToolCallStatus::ToolCallCompleted;
        assert_eq!(
            calls(&status),
            [
                ("delegate_task", done, "The sum is 42."),
                ("calc__add", done, "42")
            ]
        );
        let groups = status.tool_calls.iter().map(|call| {
            let shown = call.component_metadata.as_ref().expect("metadata");
            shown.component_group.as_str()
        });
        assert_eq!(
            groups.collect::<Vec<_>>(),
            ["main-agent-tools", "sub-agent-tools"]
        );
        assert_eq!(texts(&status, MessageType::MessageAi), ["It is 42."]);
        assert_eq!(
            texts(&status, MessageType::MessageSystem),
            [
                "⚠️ Warning: the sub-agent \"accountant\" wants the MCP server \"unknown\", which the agent does not have"
            ]
        );
        Ok(())
    });
}
