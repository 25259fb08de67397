//! What a model remembers of a session.

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, ExecutionPhase},
};
use stigmer_e2e::harness::{Expectation, Reply, budget::AGENT, story};

use super::at_work::agent_with;
use crate::{given, then};

#[test]
fn run_17_a_second_run_in_a_session_reads_what_was_said_before() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let replies = [
            ("My name is Ada.", Reply::text("Hello, Ada.")),
            ("Fail now.", Reply::status(400, "scripted refusal")),
            ("What is my name?", Reply::text("Ada.")),
        ];
        for (message, reply) in &replies {
            env.llm()
                .expect(Expectation::message_containing(message, reply.clone()));
        }
        let agent = env.api().apply(agent_with([])).await?;
        let mut session = String::new();
        for (number, (message, _)) in replies.iter().enumerate() {
            t.step(format!("say {message:?}"));
            let name = format!("turn-{number}");
            let mut execution = given::execution(&name, agent.id(), message);
            execution
                .spec
                .get_or_insert_default()
                .session_id
                .clone_from(&session);
            let id = env.api().create(execution).await?.id().to_owned();
            then::finished(&env, &id, AGENT).await?;
            let execution: AgentExecution = env.api().get(&id).await?;
            session = execution.spec.unwrap_or_default().session_id;
        }
        let executions = env.api().agent_executions_of_session(&session).await?;
        let phases = executions.iter().map(then::phase_of).collect::<Vec<_>>();
        use ExecutionPhase::{ExecutionCompleted, ExecutionFailed};
        assert_eq!(
            phases,
            [ExecutionCompleted, ExecutionFailed, ExecutionCompleted]
        );

        t.step("the last request holds the turn that completed, in order, and the question");
        let requests = env.llm().requests();
        let last = &requests[2];
        let messages = last.body["messages"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let told = messages
            .iter()
            .map(|message| (message["role"].as_str(), message["content"].as_str()))
            .map(|(role, content)| {
                (
                    role.unwrap_or(""),
                    content.unwrap_or("").lines().next().unwrap_or(""),
                )
            })
            .collect::<Vec<_>>();
        assert_eq!(
            told,
            [
                ("system", "Use your tools."),
                ("user", "My name is Ada."),
                ("assistant", "Hello, Ada."),
                ("user", "What is my name?"),
            ]
        );
        Ok(())
    });
}
