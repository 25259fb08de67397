//! Input that the server or the CLI has to refuse.

use prost::Message;
use stigmer_api::{ApiResourceKind, Resource, agent::Agent, agent_execution::AgentExecution};
use stigmer_e2e::harness::{CheckError, Environment, Test, budget::AGENT, story};
use tonic::Code;

use super::complains;
use crate::{
    fixture::Deployed,
    given::{agent, execution},
    then::{self, Refusal},
};

#[test]
fn err_12_an_invalid_agent_is_refused_with_the_field_named() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let good = "Answer in one short sentence.";
        let cases = [
            ("an empty name", agent("", good), "metadata.name"),
            ("upper case", agent("Reviewer", good), "metadata.name"),
            (
                "64 characters",
                agent(&"n".repeat(64), good),
                "metadata.name",
            ),
            (
                "no instructions",
                agent("reviewer", ""),
                "spec.instructions",
            ),
        ];
        for (what, invalid, field) in cases {
            t.step(what);
            for (verb, answer) in [
                ("create", env.api().create(invalid.clone()).await),
                ("apply", env.api().apply(invalid).await),
            ] {
                let error = answer
                    .err()
                    .unwrap_or_else(|| panic!("{what}: {verb} was accepted"));
                assert_eq!(error.code(), Code::InvalidArgument, "{what}: {error}");
                assert!(
                    error.status.message().contains(field),
                    "{what}: the field {field} is not named: {error}"
                );
            }
            refusal.check_store(what)?;
        }
        t.step("the control: what is valid is accepted");
        env.api().create(agent("reviewer", good)).await?;
        assert_eq!(env.store().count(ApiResourceKind::Agent)?, 1);
        Ok(())
    });
}

async fn with_reviewer(t: &Test, answer: &str) -> Result<(Environment, String), CheckError> {
    let env = t.environment().answering(answer).start().await?;
    let agent: Agent = env
        .api()
        .create(agent("reviewer", "Answer in one short sentence."))
        .await?;
    Ok((env, agent.id().to_owned()))
}

#[test]
fn err_14_an_empty_an_oversized_and_a_broken_message_are_refused() {
    story(async |t| {
        let (env, agent_id) = with_reviewer(&t, "never asked").await?;
        let refusal = Refusal::expected(&env)?;
        t.step("an empty message");
        let error = env
            .api()
            .create(execution("err-14", &agent_id, ""))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert!(error.status.message().contains("message"), "{error}");
        t.step("more than 10 MiB");
        let error = env
            .api()
            .create(execution(
                "err-14",
                &agent_id,
                &"x".repeat(10 * 1024 * 1024 + 1),
            ))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
        t.step("a text that is no UTF-8");
        let mut bytes = execution("err-14", &agent_id, "MARKER").encode_to_vec();
        let at = bytes
            .windows(6)
            .position(|window| window == b"MARKER")
            .expect("the message is in there");
        bytes[at] = 0xff;
        let error = env
            .api()
            .create_bytes::<AgentExecution>(bytes)
            .await
            .unwrap_err();
        assert!(
            matches!(error.code(), Code::InvalidArgument | Code::Internal),
            "{error}"
        );
        refusal.check_store("a refused message")?;
        assert!(
            env.llm().requests().is_empty(),
            "a refused message reached the model"
        );
        Ok(())
    });
}

#[test]
fn err_14_a_message_of_one_mebibyte_is_accepted_whole() {
    story(async |t| {
        let (env, agent_id) = with_reviewer(&t, "That was long.").await?;
        let message = "0123456789abcde\n".repeat(64 * 1024);
        assert_eq!(message.len(), 1024 * 1024);
        let id = env
            .api()
            .create(execution("err-14", &agent_id, &message))
            .await?
            .id()
            .to_owned();
        let finished = then::completed(&env, &id, AGENT).await?;
        assert!(
            finished
                .execution
                .spec
                .is_some_and(|spec| spec.message == message),
            "the message changed on the way"
        );
        assert!(
            env.llm().requests()[0]
                .last_user_message()
                .contains(message.trim()),
            "the model got another message"
        );
        Ok(())
    });
}

#[test]
fn err_15_a_runtime_variable_of_the_wrong_form_is_named_and_nothing_is_run() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        let refusal = Refusal::expected(&env)?;
        for (argument, complaint) in [
            ("X", "invalid format: X ("),
            ("=1", "empty key in: =1\n"),
            ("secret:", "invalid format: secret: ("),
            ("secret:=1", "empty key in: secret:=***\n"),
        ] {
            t.step(format!("--runtime-env {argument}"));
            let output = env
                .cli()
                .args([
                    "run",
                    "code-reviewer",
                    "--follow=false",
                    "--runtime-env",
                    argument,
                ])
                .run()
                .await?;
            refusal.check(&output)?;
            complains(&output, complaint)?;
            output.does_not_say("Execution ID:")?;
        }
        assert_eq!(env.store().count(ApiResourceKind::AgentExecution)?, 0);
        Ok(())
    });
}
