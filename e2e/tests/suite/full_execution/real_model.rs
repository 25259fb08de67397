//! A real model answers. Each question is asked three times: the hard checks hold every time, the
//! graded ones at least twice. Every answer, its times, and the model are in the test's record.

use std::time::Duration;

use serde_json::{Value, json};
use stigmer_api::{Resource, agent_execution::ExecutionPhase, json::to_json};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, CheckError, Environment, Failure, Project, Test, TestRecord, answer_of,
        budget::REAL, check_answer, greets, story,
    },
};

use crate::{given::agent, then};

const ROUNDS: usize = 3;

/// The first agent of fixture 01.
const REVIEWER: &str = "code-reviewer";

/// What the graded checks need to hold.
const ENOUGH: usize = 2;

/// An environment that talks to the run's model, with fixture 01 applied.
async fn with_real_model(t: &Test) -> Result<Environment, Failure> {
    let Some(model) = t.session().llm.clone() else {
        return Err(t.skip("this run has no model (--llm none)"));
    };
    t.fact(
        "model",
        json!({"name": model.model, "sha256": model.sha256, "base_url": model.base_url}),
    );
    let env = t.environment().with_real_model().start().await?;
    let output = Project::fixture(t, "01-basic-agent")?
        .cli(&env)
        .args(["apply"])
        .run()
        .await?;
    then::applied(&env, &output).await?;
    Ok(env)
}

/// Asks `agent` the `question` three times, holds each answer to the hard checks, and tells how many also pass
/// `graded`.
async fn ask(
    env: &Environment,
    agent: &str,
    question: &str,
    graded: impl Fn(&str) -> bool,
) -> Result<usize, CheckError> {
    let t = env.test();
    let mut answers = Vec::new();
    let mut passed = 0;
    for round in 1..=ROUNDS {
        t.step(format!("round {round}: {question}"));
        let run = env
            .cli()
            .args(["run", agent, "--message", question, "--follow=false"])
            .run()
            .await?;
        run.exited_with(0)?;
        let id = then::started(env, &run).await?;
        let finished = then::completed(env, &id, REAL).await?;
        let answer = answer_of(&finished.execution)
            .unwrap_or_default()
            .to_owned();
        let first = finished
            .snapshots
            .iter()
            .find(|s| answer_of(&s.resource).is_some_and(|text| !text.is_empty()));
        let good = graded(&answer);
        passed += usize::from(good);
        answers.push(json!({
            "text": answer,
            "graded": good,
            "first_message_ms": first.map(|s| millis(s.at)),
            "last_message_ms": finished.snapshots.last().map(|s| millis(s.at)),
            "message": last_message(&finished),
        }));
        t.fact("answers", answers.clone());
        check_answer(&answer).map_err(|reason| Broken(format!("round {round}: {reason}")))?;
        ensure!(
            finished
                .phases
                .contains(&ExecutionPhase::ExecutionCompleted),
            "{:?}",
            finished.phases
        );
    }
    Ok(passed)
}

/// The last message as protobuf JSON, with whatever the runner says about tokens.
fn last_message(finished: &then::Finished) -> Value {
    to_json(&finished.execution)["status"]["messages"]
        .as_array()
        .and_then(|messages| messages.last().cloned())
        .unwrap_or_default()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[test]
fn ful_01_a_real_model_says_hello_and_confirms_that_it_can_respond() {
    story(async |t| {
        let env = with_real_model(&t).await?;
        let greeted = ask(
            &env,
            REVIEWER,
            "Say hello and confirm you can respond",
            greets,
        )
        .await?;
        assert!(
            greeted >= ENOUGH,
            "only {greeted} of {ROUNDS} answers greet; see the facts in test.json"
        );
        Ok(())
    });
}

#[test]
fn ful_02_a_real_model_greets_back() {
    story(async |t| {
        let env = with_real_model(&t).await?;
        let greeted = ask(&env, REVIEWER, "Hello! Please greet me back.", greets).await?;
        assert!(
            greeted >= ENOUGH,
            "only {greeted} of {ROUNDS} answers greet; see the facts in test.json"
        );
        Ok(())
    });
}

#[test]
fn ful_03_a_real_model_got_the_prompt_and_repeats_it() {
    story(async |t| {
        let env = with_real_model(&t).await?;
        t.step("an agent whose instructions do not speak of code");
        let assistant = env
            .api()
            .create(agent("assistant", "You are a helpful assistant."))
            .await?;
        let repeated = ask(
            &env,
            assistant.slug(),
            "Reply with exactly: PING-7391",
            |answer| answer.contains("PING-7391"),
        )
        .await?;
        assert!(
            repeated >= ENOUGH,
            "only {repeated} of {ROUNDS} answers repeat it; see the facts in test.json"
        );
        Ok(())
    });
}

#[test]
fn ful_09_a_real_model_is_reported_with_its_times_and_digest() {
    story(async |t| {
        let env = with_real_model(&t).await?;
        ask(&env, REVIEWER, "Hello! Please greet me back.", greets).await?;
        t.step("read the report back");
        let record: TestRecord = stigmer_e2e_plan::read_json(&t.folder().join("test.json"))
            .map_err(|e| Broken(format!("{e:#}")))?;
        let model = &record.facts["model"];
        assert!(
            model["name"].as_str().is_some_and(|name| !name.is_empty()),
            "{model}"
        );
        let pinned = t
            .session()
            .llm
            .as_ref()
            .is_some_and(|model| model.sha256.is_some());
        let digest = model["sha256"].as_str().unwrap_or_default();
        assert!(!pinned || digest.len() == 64, "{model}");
        let answers = record.facts["answers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(answers.len(), ROUNDS);
        for answer in answers {
            let (first, last) = (
                answer["first_message_ms"].as_u64(),
                answer["last_message_ms"].as_u64(),
            );
            assert!(first.is_some() && first <= last, "{answer}");
        }
        Ok(())
    });
}
