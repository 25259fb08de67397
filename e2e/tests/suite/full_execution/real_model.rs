//! A real model answers, or in a run that replays, what was recorded of it. Each question is asked three
//! times: the hard checks hold every time, the graded ones at least twice. Every answer, its times, and the
//! model are in the test's record.

mod nightly;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stigmer_api::{
    Resource,
    agent::Agent,
    agent_execution::{AgentExecution, ExecutionPhase},
    json::from_struct,
};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, CheckError, Environment, Failure, NoAnswer, Snapshot, Test, TestRecord,
        answer_message, answer_of, budget::REAL, check_answer, check_not_empty, greets, own_words,
        story,
    },
};

use crate::{
    fixture::Deployed,
    given::{agent, execution},
    then,
};

const ROUNDS: usize = 3;

/// The first agent of fixture 01.
const REVIEWER: &str = "code-reviewer";

/// The question of FUL-01.
const HELLO: &str = "Say hello and confirm you can respond";

/// What the graded checks need to hold.
const ENOUGH: usize = 2;

/// The run has a model, or what was recorded of one.
fn check_that_there_is_a_model(t: &Test) -> Result<(), Failure> {
    let session = t.session();
    match session.llm.is_some() || session.cassettes.is_some() {
        true => Ok(()),
        false => Err(t.skip("this run has no model (--llm none)")),
    }
}

/// An environment that talks to the run's model, with fixture 01 applied.
async fn with_real_model(t: &Test) -> Result<Environment, Failure> {
    check_that_there_is_a_model(t)?;
    let env = t.environment().with_real_model().start().await?;
    Deployed::apply(t, &env, "01").await?;
    Ok(env)
}

/// An agent whose instructions do not speak of code.
async fn assistant(env: &Environment) -> Result<Agent, CheckError> {
    env.test()
        .step("create an agent whose instructions do not speak of code");
    let assistant = agent("assistant", "You are a helpful assistant.");
    Ok(env.api().create(assistant).await?)
}

/// A question and what counts as an answer to it.
struct Question<'a> {
    /// The slug of the agent that is asked.
    agent: &'a str,
    /// What the session has asked before, if anything.
    earlier: Option<&'a str>,
    /// What it is asked.
    text: &'a str,
    /// Holds for every answer of a model that works.
    hard: fn(&str) -> Result<(), NoAnswer>,
    /// Holds, for most answers of a model that works, of its own words.
    graded: fn(&str) -> bool,
}

/// Asks three times, holds each answer to the hard check and to what says that the model gave it,
/// and tells how many are also good. Times count from before the execution was created.
async fn ask(env: &Environment, question: &Question<'_>) -> Result<usize, CheckError> {
    let t = env.test();
    let mut answers = Vec::new();
    let mut passed = 0;
    for round in 1..=ROUNDS {
        let session = match question.earlier {
            None => None,
            Some(earlier) => {
                t.step(format!("round {round}, earlier in the session: {earlier}"));
                let id = run(env, question.agent, earlier).await?;
                let finished = then::completed(env, &id, REAL).await?;
                finished.execution.spec.map(|spec| spec.session_id)
            }
        };
        t.step(format!("round {round}: {}", question.text));
        let start = Instant::now();
        let id = match session {
            None => run(env, question.agent, question.text).await?,
            Some(session) => go_on(env, session, question.text).await?,
        };
        let until_subscribed = start.elapsed();
        let finished = then::completed(env, &id, REAL).await?;
        let answer = answer_of(&finished.execution)
            .unwrap_or_default()
            .to_owned();
        let first = finished
            .snapshots
            .iter()
            .find(|s| answer_of(&s.resource).is_some_and(|text| !text.is_empty()));
        let seen_ms = |s: &Snapshot<AgentExecution>| millis(until_subscribed + s.at);
        // What was asked, said back, is no answer.
        let own = own_words(&answer, &[question.text, question.earlier.unwrap_or("")]);
        let good = (question.graded)(&own);
        passed += usize::from(good);
        let figures = figures(&finished);
        answers.push(json!({
            "text": answer,
            "graded": good,
            "phases": finished.phases.iter().map(ExecutionPhase::as_str_name).collect::<Vec<_>>(),
            "first_message_ms": first.map(seen_ms),
            "last_message_ms": finished.snapshots.last().map(seen_ms),
            "figures": figures,
        }));
        t.fact("answers", answers.clone());
        (question.hard)(&answer).map_err(|reason| Broken(format!("round {round}: {reason}")))?;
        check_origin(env, &figures)?;
    }
    Ok(passed)
}

/// `stigmer run` with a message; the execution's id.
async fn run(env: &Environment, agent: &str, message: &str) -> Result<String, CheckError> {
    let output = env
        .cli()
        .args(["run", agent, "--message", message, "--follow=false"])
        .run()
        .await?;
    output.exited_with(0)?;
    then::started(env, &output).await
}

/// The next message of a session; the execution's id.
async fn go_on(env: &Environment, session: String, message: &str) -> Result<String, CheckError> {
    let mut next = execution("next", "", message);
    next.spec.get_or_insert_default().session_id = session;
    Ok(env.api().create(next).await?.id().to_owned())
}

/// What the runner reports of the model's work: its name, its tokens, its times.
fn figures(finished: &then::Finished) -> Value {
    answer_message(&finished.execution)
        .and_then(|message| message.metadata.as_ref())
        .map_or(Value::Null, |metadata| Value::Object(from_struct(metadata)))
}

/// The run's model gave the answer, now or when it was recorded; the pinned one counts its tokens.
fn check_origin(env: &Environment, figures: &Value) -> Result<(), Broken> {
    let model = env.model();
    ensure!(
        figures["model"] == json!(model.name),
        "the answer is not said to be of {}: {figures}",
        model.name
    );
    let tokens = figures["completion_tokens"].as_f64();
    let pinned = model.sha256.is_some();
    ensure!(
        tokens.map_or(!pinned, |tokens| tokens > 0.0),
        "the answer has no tokens: {figures}"
    );
    Ok(())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[test]
fn ful_01_a_real_model_says_hello_and_confirms_that_it_can_respond() {
    story(async |t| {
        let env = with_real_model(&t).await?;
        let question = Question {
            agent: REVIEWER,
            earlier: None,
            text: HELLO,
            hard: check_answer,
            graded: greets,
        };
        let greeted = ask(&env, &question).await?;
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
        let assistant = assistant(&env).await?;
        let question = Question {
            agent: assistant.slug(),
            // Asked out of the blue, the pinned model only says the question back.
            earlier: Some("How are you today?"),
            text: "Hello! Please greet me back.",
            hard: check_not_empty,
            graded: greets,
        };
        let greeted = ask(&env, &question).await?;
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
        let assistant = assistant(&env).await?;
        let question = Question {
            agent: assistant.slug(),
            earlier: None,
            text: "Reply with exactly: PING-7391",
            hard: check_not_empty,
            graded: |own_words| own_words.contains("PING-7391"),
        };
        let repeated = ask(&env, &question).await?;
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
        let question = Question {
            agent: REVIEWER,
            earlier: None,
            text: HELLO,
            hard: check_answer,
            graded: greets,
        };
        ask(&env, &question).await?;
        t.step("read the report back");
        let record: TestRecord = stigmer_e2e_plan::read_json(&t.folder().join("test.json"))
            .map_err(|e| Broken(format!("{e:#}")))?;
        let model = &record.facts["model"];
        assert!(
            model["name"].as_str().is_some_and(|name| !name.is_empty()),
            "{model}"
        );
        let pinned = env.model().sha256.is_some();
        let digest = model["sha256"].as_str().unwrap_or_default();
        assert!(!pinned || digest.len() == 64, "{model}");
        let answers = record.facts["answers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(answers.len(), ROUNDS);
        for answer in answers {
            let (first, last) = (
                answer["first_message_ms"].as_f64(),
                answer["last_message_ms"].as_f64(),
            );
            assert!(first.is_some() && first <= last, "{answer}");
            // The runner's own clock starts later than the run, with its request to the model.
            for (seen, own) in [(first, "ms_to_first_token"), (last, "ms_total")] {
                let own = answer["figures"][own].as_f64();
                assert!(own.is_some() && own <= seen, "{answer}");
            }
            let tokens = answer["figures"]["completion_tokens"].as_f64();
            assert!(tokens.map_or(!pinned, |tokens| tokens > 0.0), "{answer}");
        }
        Ok(())
    });
}
