//! What takes a real model longer: a workflow around an agent, and a model that dies while it answers.

use stigmer_api::agent_execution::{AgentExecution, ExecutionPhase};
use stigmer_e2e::harness::{Component, Probe, budget::REAL, own_words};

use super::*;
use crate::then::Execution;

/// Long enough that the end of an answer is far away when its first words are seen.
const LONG: &str = "1500";

#[test]
fn ful_04_fixture_15_is_run_by_a_real_model_that_reviews_the_division() {
    story(async |t| {
        check_that_there_is_a_model(&t)?;
        let env = t
            .environment()
            .with_real_model()
            .setting(Component::AgentRunner, "STIGMER_LLM_MAX_TOKENS", "256")
            .start()
            .await?;
        // The pinned model is too small to see what is wrong with the code; that it speaks of the code
        // shows that the workflow's question reached it.
        let wanted = match env.model().sha256 {
            Some(_) => "divide",
            None => "zero",
        };
        let deployed = Deployed::apply(&t, &env, "15").await?;
        let mut answers = Vec::new();
        let mut passed = 0;
        for round in 1..=ROUNDS {
            t.step(format!("round {round}: the workflow asks for a review"));
            let id = deployed.start(&[]).await?;
            let finished = then::workflow::completed(&env, &id, REAL).await?;
            let mut agents: Vec<AgentExecution> = env
                .api()
                .agent_executions(ExecutionPhase::ExecutionCompleted)
                .await?;
            assert_eq!(agents.len(), round, "one agent execution per round");
            let output = then::workflow::output(&finished.execution, "reviewCode")?;
            let result = output["result"].as_str().unwrap_or_default().to_owned();
            agents.retain(|agent| answer_of(agent) == Some(&result));
            let agent = agents
                .first()
                .ok_or_else(|| Broken(format!("no agent said what the task holds: {output}")))?;
            check_answer(&result).map_err(|reason| Broken(format!("round {round}: {reason}")))?;
            let figures = answer_message(agent).and_then(|message| message.metadata.as_ref());
            let figures = figures.map_or(Value::Null, |it| Value::Object(from_struct(it)));
            check_origin(&env, &figures)?;
            let question = agent.spec.as_ref().map_or("", |spec| spec.message.as_str());
            let own = own_words(&result, &[question]).to_lowercase();
            let good = own.contains(wanted);
            passed += usize::from(good);
            answers.push(json!({"text": result, "graded": good, "figures": figures}));
            t.fact("answers", answers.clone());
        }
        deployed.ran();
        assert!(
            passed >= ENOUGH,
            "only {passed} of {ROUNDS} answers mention {wanted:?}; see the facts in test.json"
        );
        Ok(())
    });
}

#[test]
fn ful_06_a_model_that_dies_while_it_answers_fails_the_execution_with_the_cause() {
    story(async |t| {
        if t.session().own_llm.is_none() {
            return Err(t.skip("this run has no pinned model to kill (--llm llama-cpp has)"));
        }
        let env = t
            .environment()
            .with_own_model()
            .setting(Component::AgentRunner, "STIGMER_LLM_MAX_TOKENS", LONG)
            .start()
            .await?;
        let assistant = assistant(&env).await?;
        t.step("ask for something long, and kill the model at its first words");
        let message = "Tell me a very long story about a ship, chapter by chapter.";
        let id = run(&env, assistant.slug(), message).await?;
        let look = async || match env.api().get::<AgentExecution>(&id).await {
            Ok(execution) if execution.phase() > ExecutionPhase::ExecutionInProgress => {
                Probe::Hopeless(format!(
                    "{:?} {}",
                    execution.phase(),
                    Execution::error(&execution)
                ))
            }
            Ok(execution) => match answer_of(&execution) {
                Some(text) if !text.is_empty() => Probe::Done(text.to_owned()),
                _ => Probe::NotYet(format!("{:?}", execution.phase())),
            },
            Err(error) => Probe::Hopeless(error.to_string()),
        };
        let awaited = "the first words of the answer are stored";
        let begun = t.eventually(awaited, REAL, look).await?;
        env.own_model().kill9().await?;
        let finished = then::finished(&env, &id, REAL).await?;
        let execution = &finished.execution;
        assert_eq!(execution.phase(), ExecutionPhase::ExecutionFailed);
        let error = Execution::error(execution);
        assert!(
            error.contains("lost the connection after") && error.contains("/chat/completions"),
            "{error}"
        );
        let kept = answer_of(execution).unwrap_or_default();
        assert!(
            kept.starts_with(&begun),
            "{kept:?} does not begin with {begun:?}"
        );
        t.fact("error", error);
        Ok(())
    });
}
