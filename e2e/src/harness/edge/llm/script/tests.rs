//! The scripted model, asked over HTTP as an agent-runner asks it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Expectation, Reply, ScriptLlm};
use crate::harness::{Gate, Journal};

async fn scripted() -> (tempfile::TempDir, camino::Utf8PathBuf, ScriptLlm) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = camino::Utf8Path::from_path(folder.path())
        .expect("a UTF-8 path")
        .join("llm.jsonl");
    let journal = Journal::open(&path, Instant::now(), Default::default()).expect("a new journal");
    let llm = ScriptLlm::start(journal).expect("a free port");
    (folder, path, llm)
}

fn ask(llm: &ScriptLlm, message: &str, stream: bool) -> reqwest::RequestBuilder {
    let body = json!({"model": llm.model(), "stream": stream, "messages": [{"role": "user", "content": message}],
                      "stream_options": {"include_usage": true}});
    reqwest::Client::new()
        .post(format!("{}/chat/completions", llm.base_url()))
        .json(&body)
}

/// The pieces of a streamed answer, put together.
fn answer_in(stream: &str) -> String {
    let events = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]");
    let deltas =
        events.map(|event| serde_json::from_str::<Value>(event).expect("an event is JSON"));
    deltas
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

#[tokio::test]
async fn an_answer_is_streamed_word_by_word_and_written_down() {
    let (_folder, journal, llm) = scripted().await;
    llm.expect(Expectation::message_containing(
        "hello",
        Reply::text("hi there, you"),
    ));
    let stream = ask(&llm, "say hello", true)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(answer_in(&stream), "hi there, you");
    assert!(
        stream.contains("\"completion_tokens\":3") && stream.ends_with("data: [DONE]\n\n"),
        "{stream}"
    );
    assert_eq!(llm.requests()[0].last_user_message(), "say hello");
    assert_eq!(llm.complaints(), (vec![], vec![]));
    let written = std::fs::read_to_string(journal).unwrap();
    assert!(
        written.contains("say hello") && written.contains("\"chunk\":\"there, \""),
        "{written}"
    );
}

#[tokio::test]
async fn a_whole_answer_is_one_object() {
    let (_folder, _, llm) = scripted().await;
    llm.answer_any(Reply::text("all at once"));
    let answer: Value = ask(&llm, "x", false)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "all at once");
}

#[tokio::test]
async fn an_unexpected_request_is_refused_and_told() {
    let (_folder, _, llm) = scripted().await;
    let refused = ask(&llm, "surprise", true).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 503);
    let other = reqwest::get(format!("{}/embeddings", llm.base_url()))
        .await
        .unwrap();
    assert_eq!(other.status().as_u16(), 404);
    let (unexpected, _) = llm.complaints();
    assert!(
        unexpected[0].contains("surprise") && unexpected[1].contains("/v1/embeddings"),
        "{unexpected:?}"
    );
}

#[tokio::test]
async fn a_gate_holds_the_rest_of_an_answer_back() {
    let (_folder, _, llm) = scripted().await;
    let gate = Gate::closed();
    llm.answer_any(
        Reply::nothing()
            .then("first")
            .then_wait(&gate)
            .then(" second"),
    );
    let mut answer = ask(&llm, "x", true).send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains("first") {
        seen.push_str(&String::from_utf8_lossy(
            &answer.chunk().await.unwrap().expect("more to come"),
        ));
    }
    let held = tokio::time::timeout(Duration::from_millis(50), answer.chunk()).await;
    assert!(held.is_err(), "the gate let something through: {held:?}");
    gate.open();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert_eq!(answer_in(&seen), "first second");
}

#[tokio::test]
async fn a_cut_answer_ends_in_an_error_and_a_malformed_one_is_no_json() {
    let (_folder, _, llm) = scripted().await;
    llm.expect(Expectation::message_containing(
        "cut",
        Reply::nothing().then("half").then_cut(),
    ));
    llm.expect(Expectation::message_containing(
        "broken",
        Reply::malformed(),
    ));
    let cut = ask(&llm, "cut", true).send().await.unwrap().text().await;
    assert!(cut.is_err(), "{cut:?}");
    let broken = ask(&llm, "broken", false)
        .send()
        .await
        .unwrap()
        .json::<Value>()
        .await;
    assert!(broken.is_err(), "{broken:?}");
}
