//! The hub, asked over HTTP as a workflow-runner asks it.

use std::time::Instant;

use serde_json::{Value, json};

use super::{super::Gate, Call, Hub, Response};
use crate::harness::Journal;

fn hub() -> (tempfile::TempDir, camino::Utf8PathBuf, Hub) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = camino::Utf8Path::from_path(folder.path())
        .expect("a UTF-8 path")
        .join("hub.jsonl");
    let journal = Journal::open(&path, Instant::now(), Default::default()).expect("a new journal");
    let hub = Hub::start(journal).expect("a free port");
    (folder, path, hub)
}

async fn get(hub: &Hub, path: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::Client::new().get(hub.url(path)).send().await
}

#[tokio::test]
async fn a_call_is_answered_recorded_and_written_down() {
    let (_folder, journal, hub) = hub();
    hub.expect(
        Call::post("/api.example.com/v1/x"),
        Response::json(json!({"ok": true})).with_status(201),
    );
    let call = reqwest::Client::new()
        .post(hub.url("/api.example.com/v1/x?page=2"))
        .header("X-Key", "k1");
    let answer = call.json(&json!({"a": 1})).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ok": true}));
    let received = hub.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].summary(), "POST /api.example.com/v1/x?page=2");
    assert_eq!(received[0].header("x-key"), "k1");
    assert_eq!(received[0].json(), json!({"a": 1}));
    assert_eq!(hub.complaints(), (vec![], vec![]));
    let written = std::fs::read_to_string(journal).unwrap();
    assert!(
        written.contains("\"x-key\":\"k1\"") && written.contains("\"status\":201"),
        "{written}"
    );
}

#[tokio::test]
async fn an_unexpected_call_is_refused_and_told() {
    let (_folder, _, hub) = hub();
    let answer = get(&hub, "/surprise").await.unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    assert_eq!(hub.complaints().0, ["GET /surprise"]);
}

#[tokio::test]
async fn an_echo_repeats_the_request() {
    let (_folder, _, hub) = hub();
    hub.always(Call::get("/e"), Response::echo());
    let echo: Value = get(&hub, "/e?q=1").await.unwrap().json().await.unwrap();
    assert_eq!(echo["query"], "q=1");
    assert_eq!(echo["headers"]["host"], hub.base_url()["http://".len()..]);
}

#[tokio::test]
async fn calls_behind_a_gate_are_open_at_the_same_time() {
    let (_folder, _, hub) = hub();
    let gate = Gate::closed();
    hub.expect_times(3, Call::get("/g"), Response::text("").behind(&gate));
    let calls = async { tokio::try_join!(get(&hub, "/g"), get(&hub, "/g"), get(&hub, "/g")) };
    let opener = async {
        while hub.open_calls() < 3 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let (answers, ()) = tokio::join!(calls, opener);
    answers.unwrap();
    assert_eq!(hub.most_open_calls(), 3);
    assert_eq!(hub.complaints(), (vec![], vec![]));
}

#[tokio::test]
async fn a_cut_answer_is_an_error_and_a_caller_that_goes_away_is_told() {
    let (_folder, journal, hub) = hub();
    hub.always(Call::get("/cut"), Response::cut());
    hub.always(Call::get("/silent"), Response::silence());
    let cut = get(&hub, "/cut").await.unwrap().text().await;
    assert!(cut.is_err(), "{cut:?}");
    let silent = reqwest::Client::new()
        .get(hub.url("/silent"))
        .timeout(std::time::Duration::from_millis(50));
    assert!(silent.send().await.unwrap_err().is_timeout());
    while hub.open_calls() > 0 {
        tokio::task::yield_now().await;
    }
    let written = std::fs::read_to_string(journal).unwrap();
    assert!(written.contains("the caller went away"), "{written}");
}

#[tokio::test]
async fn a_closed_port_refuses_and_the_same_port_opens_again() {
    let (_folder, _, hub) = hub();
    hub.always(Call::get("/"), Response::text("here"));
    hub.close();
    assert!(get(&hub, "/").await.unwrap_err().is_connect());
    hub.reopen().unwrap();
    assert_eq!(get(&hub, "/").await.unwrap().text().await.unwrap(), "here");
}
