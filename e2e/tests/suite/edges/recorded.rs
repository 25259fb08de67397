//! Answers of a model, recorded and replayed.

use serde_json::Value;
use stigmer_api::{Resource, agent_execution::AgentExecution};
use stigmer_e2e::{
    harness::{Broken, Cassette, CheckError, End, Environment, Reply, Test, budget::AGENT, story},
    session::SharedModel,
};
use stigmer_e2e_plan::LlmChoice;

use crate::{given, pipeline::Inner, specimen, then};

const MESSAGE: &str = "Say it in German, word by word.";

/// Who said what, in the order of the record.
fn said(execution: &AgentExecution) -> Vec<(i32, String)> {
    let status = execution.status.as_ref();
    let messages = status.map_or(&[][..], |status| &status.messages);
    messages
        .iter()
        .map(|message| (message.r#type, message.content.clone()))
        .collect()
}

/// Asks an agent, to COMPLETED.
async fn ask(env: &Environment) -> Result<AgentExecution, CheckError> {
    let agent = given::agent("assistant", "You are a helpful assistant.");
    let agent = env.api().create(agent).await?;
    let question = given::execution("question", agent.id(), MESSAGE);
    let question = env.api().create(question).await?;
    Ok(then::completed(env, question.id(), AGENT).await?.execution)
}

/// What passed the edge to the model of environment `number`: requests and pieces of answers.
fn passed(t: &Test, number: usize) -> Result<Vec<Value>, Broken> {
    let file = t.folder().join("llm.jsonl");
    let text = std::fs::read_to_string(&file).map_err(|e| Broken(format!("{file}: {e}")))?;
    let entries = text.lines().map(|line| {
        serde_json::from_str::<Value>(line).map_err(|e| Broken(format!("{file}: {e}: {line}")))
    });
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.retain(|entry| entry["environment"] == number);
    for entry in &mut entries {
        entry["at_ms"] = Value::Null;
        entry["environment"] = Value::Null;
    }
    Ok(entries)
}

#[test]
fn edg_01_a_replayed_agent_run_is_the_recorded_one_piece_by_piece() {
    story(async |t| {
        let model = t.environment().without_runners().start().await?;
        let answer = Reply::text("Grüße aus München, und einen schönen Tag noch! 🙂");
        model.llm().answer_any(answer);
        let recording = t
            .environment()
            .without_workflow_runner()
            .recording(SharedModel {
                base_url: model.llm().base_url().to_owned(),
                model: model.llm().model().to_owned(),
                sha256: None,
                provider: "script".to_owned(),
            });
        let recording = recording.start().await?;
        t.step("record an agent run");
        let recorded = ask(&recording).await?;
        let origin = recording.model();
        let file = origin.cassette.clone().unwrap_or_default();
        let cassette = Cassette::load(&file).map_err(|e| Broken(e.to_string()))?;
        assert_eq!((origin.mode, cassette.exchanges.len()), ("record", 1));
        let exchange = &cassette.exchanges[0];
        assert_eq!((exchange.status, exchange.end), (200, End::Complete));
        assert!(
            exchange.chunks.len() > 8,
            "{} chunks",
            exchange.chunks.len()
        );
        let runner = &t.session().versions["agent-runner"];
        assert_eq!(
            (&cassette.runner, cassette.test.as_str()),
            (runner, t.name())
        );

        t.step("replay it, without the model");
        let replaying = t.environment().without_workflow_runner().replaying(&file);
        let replaying = replaying.start().await?;
        let replayed = ask(&replaying).await?;
        assert_eq!(replaying.model().mode, "replay");
        assert_eq!(said(&replayed), said(&recorded));
        assert_eq!(passed(&t, 3)?, passed(&t, 2)?);
        let pieces = exchange.chunks.len();
        let passed = passed(&t, 3)?.len();
        assert!(passed >= pieces, "{passed} entries of {pieces} pieces");
        assert_eq!(model.llm().requests().len(), 1, "the model was asked again");
        Ok(())
    });
}

#[test]
fn edg_02_a_request_that_is_not_recorded_fails_the_test_and_shows_the_difference() {
    story(async |t| {
        let record = specimen::fail_at_the_end(&t, "specimen_asks_what_is_not_recorded").await?;
        let findings = record.teardown_findings;
        let missed =
            "unexpected request to the recorded model: POST /chat/completions is not recorded in ";
        let miss = findings.iter().find(|finding| finding.starts_with(missed));
        let miss = miss.ok_or_else(|| Broken(format!("no finding tells of it: {findings:#?}")))?;
        assert!(
            miss.contains("recorded.json; the nearest is exchange 1, and differs in\n"),
            "{miss}"
        );
        let lines: Vec<_> = miss.lines().skip(1).map(str::trim).collect();
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert_eq!(lines[0], "body.max_tokens: recorded 63, asked 64");
        let (then, now) = (
            "recorded \"How are you today?",
            "asked \"How were you yesterday?",
        );
        assert!(
            lines[1].starts_with("body.messages[1].content: ")
                && lines[1].contains(then)
                && lines[1].contains(now),
            "{lines:#?}"
        );
        let unasked = "nobody asked for exchange 1 of ";
        assert!(
            findings.iter().any(|finding| finding.starts_with(unasked)),
            "{findings:#?}"
        );
        Ok(())
    });
}

#[test]
fn edg_05_a_run_without_a_model_says_that_recorded_answers_stood_in() {
    story(async |t| {
        let cassettes = t.session().root.join("fixtures/cassettes");
        let choice = LlmChoice::Replay {
            cassettes: cassettes.clone(),
        };
        let inner = Inner::of(&t, &["ful_03"])?.with(|plan| {
            plan.llm = choice;
            plan.tools.llm = None;
        });
        let ended = inner.run().await?;
        ended.output.exited_with(0)?;
        assert_eq!(ended.last_line(), "1 passed, 0 failed, 0 skipped");
        let run = ended.json("run.json")?;
        assert_eq!(run["llm"]["provider"], "replay");
        assert_eq!(run["llm"]["cassettes"], cassettes.as_str());
        assert_eq!(run["model_sha256"], Value::Null);
        let summary = ended.text("summary.txt")?;
        assert!(summary.contains("recorded answers"), "{summary}");
        let record = ended.record("ful_03_a_real_model_got_the_prompt_and_repeats_it")?;
        let model = &record.facts["model"];
        assert_eq!(model["mode"], "replay");
        assert!(
            model["recorded_at"].is_string() && model["sha256"].is_string(),
            "{model}"
        );
        let copy = "cassettes/ful_03_a_real_model_got_the_prompt_and_repeats_it.json";
        assert!(
            ended.results.join(copy).exists(),
            "{copy} is not in the results"
        );
        Ok(())
    });
}
