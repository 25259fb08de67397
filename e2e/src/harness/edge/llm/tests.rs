//! The edge in its other modes. A scripted model stands for the real one: what is recorded of it is
//! known.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Cassette, CassetteError, End, Llm, LlmError, Mode, NewCassette, Reply, ScriptLlm};
use crate::{
    harness::{Gate, Journal, edge::Expectation, secrets::Secrets},
    session::SharedModel,
};

struct Stage {
    folder: TempDir,
    secrets: Secrets,
    model: ScriptLlm,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let secrets = Secrets::default();
        let model = ScriptLlm::start(journal(&path(&folder, "model.jsonl"), &secrets));
        Self {
            model: model.expect("a free port"),
            folder,
            secrets,
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        path(&self.folder, name)
    }

    fn start(&self, mode: Mode, name: &str) -> Result<Llm, LlmError> {
        let journal = journal(&self.path(name), &self.secrets);
        Llm::start(mode, journal, self.secrets.clone())
    }

    fn recording(&self) -> Llm {
        let model = SharedModel {
            base_url: self.model.base_url().to_owned(),
            model: self.model.model().to_owned(),
            sha256: Some("ab".repeat(32)),
            provider: "script".to_owned(),
        };
        let cassette = NewCassette {
            path: self.path("cassette.json"),
            test: "area::the_test".to_owned(),
            runner: "0.1.0".to_owned(),
        };
        let started = self.start(Mode::Record(model, cassette), "record.jsonl");
        started.expect("a free port")
    }

    fn replaying(&self) -> Llm {
        let started = self.start(Mode::Replay(self.path("cassette.json")), "replay.jsonl");
        started.expect("a cassette")
    }

    fn cassette(&self) -> Cassette {
        Cassette::load(&self.path("cassette.json")).expect("a cassette")
    }

    fn written(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file")
    }
}

fn path(folder: &TempDir, name: &str) -> Utf8PathBuf {
    let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    folder.join(name)
}

fn journal(path: &Utf8Path, secrets: &Secrets) -> Journal {
    Journal::open(path, Instant::now(), secrets.clone()).expect("a new journal")
}

fn question(message: &str) -> Value {
    json!({"model": "scripted", "stream": true, "messages": [{"role": "user", "content": message}]})
}

async fn ask(llm: &Llm, body: &Value) -> reqwest::Response {
    let request = reqwest::Client::new().post(format!("{}/chat/completions", llm.base_url()));
    request.json(body).send().await.expect("an answer")
}

/// The pieces in which an answer comes; nothing after the first error.
async fn pieces(mut answer: reqwest::Response) -> (Vec<Vec<u8>>, bool) {
    let mut pieces = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(piece)) => pieces.push(piece.to_vec()),
            Ok(None) => return (pieces, true),
            Err(_) => return (pieces, false),
        }
    }
}

#[tokio::test]
async fn a_replayed_answer_is_the_recorded_one_piece_by_piece_and_as_slow() {
    let stage = Stage::new();
    let pause = Duration::from_millis(60);
    let reply = Reply::nothing()
        .then("Grüße")
        .then_pause(pause)
        .then(" an dich");
    stage.model.answer_any(reply);
    let live = stage.recording();
    let recorded = pieces(ask(&live, &question("hello")).await).await;
    assert!(recorded.1 && recorded.0.len() >= 4, "{recorded:?}");

    let cassette = stage.cassette();
    let exchange = &cassette.exchanges[0];
    assert_eq!(
        (exchange.status, exchange.end, cassette.exchanges.len()),
        (200, End::Complete, 1)
    );
    let bytes: Vec<_> = exchange.chunks.iter().map(|chunk| chunk.bytes()).collect();
    assert_eq!(bytes, recorded.0);
    let header = (
        cassette.test.as_str(),
        cassette.provider.as_str(),
        cassette.runner.as_str(),
    );
    assert_eq!(header, ("area::the_test", "script", "0.1.0"));
    assert_eq!(cassette.model_sha256, Some("ab".repeat(32)));

    let replay = stage.replaying();
    let start = Instant::now();
    let replayed = pieces(ask(&replay, &question("hello")).await).await;
    assert_eq!(replayed, recorded);
    assert!(start.elapsed() >= pause, "{:?}", start.elapsed());
    assert_eq!(replay.complaints(), (vec![], vec![]));
    assert_eq!(stage.model.requests().len(), 1, "the model was asked again");
    let chunks = |name: &str| {
        let lines = stage.written(name);
        let chunk = |line: &str| {
            serde_json::from_str::<Value>(line).ok()?["answer"]["chunk"]
                .as_str()
                .map(str::to_owned)
        };
        lines.lines().filter_map(chunk).collect::<Vec<_>>()
    };
    assert_eq!(chunks("replay.jsonl"), chunks("record.jsonl"));
    assert!(chunks("replay.jsonl").contains(&"Grüße".to_owned()));
}

#[tokio::test]
async fn a_miss_names_the_nearest_exchange_and_each_field_that_differs() {
    let stage = Stage::new();
    stage.model.answer_any(Reply::text("yes"));
    let live = stage.recording();
    for message in ["is it red?", "is it green?"] {
        pieces(ask(&live, &question(message)).await).await;
    }
    let replay = stage.replaying();
    let mut other = question("is it green!");
    other["max_tokens"] = json!(8);
    let missed = ask(&replay, &other).await;
    assert_eq!(missed.status().as_u16(), 400);
    let told = missed.text().await.unwrap();
    assert!(told.contains("is not recorded in"), "{told}");
    let (misses, unplayed) = replay.complaints();
    assert_eq!(
        misses,
        [format!(
            "POST /chat/completions is not recorded in {}; the nearest is exchange 1, and differs in\n  \
             body.messages[0].content: recorded \"is it red?\", asked \"is it green!\"\n  \
             body.max_tokens: recorded nothing, asked 8",
            stage.path("cassette.json")
        )]
    );
    assert_eq!(unplayed.len(), 2, "{unplayed:?}");
}

#[tokio::test]
async fn an_exchange_is_played_once_in_the_order_of_the_recording() {
    let stage = Stage::new();
    for answer in ["first", "second"] {
        stage
            .model
            .expect(Expectation::message_containing("", Reply::text(answer)));
    }
    let live = stage.recording();
    for _ in 0..2 {
        pieces(ask(&live, &question("again")).await).await;
    }
    let replay = stage.replaying();
    for answer in ["first", "second"] {
        let text = ask(&replay, &question("again")).await.text().await.unwrap();
        assert!(text.contains(answer), "{text}");
    }
    assert_eq!(ask(&replay, &question("again")).await.status(), 400);
    let (misses, _) = replay.complaints();
    assert!(
        misses[0].contains("came more often than it is recorded"),
        "{misses:?}"
    );
}

#[tokio::test]
async fn a_broken_answer_is_recorded_and_replayed_as_one() {
    let stage = Stage::new();
    stage
        .model
        .answer_any(Reply::nothing().then("half").then_cut());
    let live = stage.recording();
    let recorded = pieces(ask(&live, &question("cut")).await).await;
    assert!(!recorded.1, "{recorded:?}");
    assert_eq!(stage.cassette().exchanges[0].end, End::Cut);
    let replay = stage.replaying();
    let replayed = pieces(ask(&replay, &question("cut")).await).await;
    assert_eq!(replayed, recorded);
}

#[tokio::test]
async fn an_error_of_the_model_is_recorded_and_replayed_with_its_status() {
    let stage = Stage::new();
    stage.model.answer_any(Reply::status(429, "slow down"));
    let live = stage.recording();
    let answer = ask(&live, &question("x")).await;
    assert_eq!(answer.status(), 429);
    pieces(answer).await;
    let replay = stage.replaying();
    let replayed = ask(&replay, &question("x")).await;
    assert_eq!(replayed.status(), 429);
    assert!(replayed.text().await.unwrap().contains("slow down"));
}

#[tokio::test]
async fn whoever_goes_away_stops_the_model_and_leaves_an_abandoned_exchange() {
    let stage = Stage::new();
    let gate = Gate::closed();
    stage.model.answer_any(
        Reply::nothing()
            .then("begun")
            .then_wait(&gate)
            .then("never"),
    );
    let live = stage.recording();
    let mut answer = ask(&live, &question("x")).await;
    let mut seen = String::new();
    while !seen.contains("begun") {
        let piece = answer.chunk().await.unwrap().expect("more to come");
        seen.push_str(&String::from_utf8_lossy(&piece));
    }
    drop(answer);
    let abandoned = async {
        while !stage.path("cassette.json").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(5), abandoned).await;
    waited.expect("the cassette is written when the client has gone");
    let cassette = stage.cassette();
    assert_eq!(cassette.exchanges[0].end, End::Abandoned);
    assert!(!cassette.exchanges[0].text().contains("never"));
    gate.open();
}

#[tokio::test]
async fn no_secret_and_no_key_gets_into_a_cassette_and_it_is_replayed_all_the_same() {
    let stage = Stage::new();
    stage.secrets.add("TOKEN", "marker-0123456789");
    stage
        .model
        .answer_any(Reply::status(401, "no such key: key-0123456789"));
    let live = stage.recording();
    let body = question("my token is marker-0123456789");
    let url = format!("{}/chat/completions", live.base_url());
    let request = reqwest::Client::new().post(url).json(&body);
    let answer = request.bearer_auth("key-0123456789").send().await.unwrap();
    pieces(answer).await;
    let written = stage.written("cassette.json");
    assert!(!written.contains("0123456789"), "{written}");
    assert!(
        written.contains("‹TOKEN›") && written.contains("‹API key›"),
        "{written}"
    );
    // Another run's secret has another value, and the same name.
    let secrets = Secrets::default();
    secrets.add("TOKEN", "marker-9876543210");
    let journal = journal(&stage.path("other.jsonl"), &secrets);
    let replay = Llm::start(Mode::Replay(stage.path("cassette.json")), journal, secrets).unwrap();
    let answer = ask(&replay, &question("my token is marker-9876543210")).await;
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn an_answer_that_spells_a_secret_is_not_recorded_and_told() {
    let stage = Stage::new();
    stage.secrets.add("TOKEN", "marker-0123456789");
    stage
        .model
        .answer_any(Reply::nothing().then("marker-0123").then("456789"));
    let live = stage.recording();
    pieces(ask(&live, &question("tell me")).await).await;
    assert!(!stage.path("cassette.json").exists());
    let (complaints, _) = live.complaints();
    assert!(
        complaints[0].contains("repeated the secret TOKEN"),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn a_model_that_is_not_there_is_a_bad_gateway() {
    let stage = Stage::new();
    let model = SharedModel {
        base_url: format!("http://{}/v1", crate::harness::NOBODY),
        model: "m".to_owned(),
        sha256: None,
        provider: "openai".to_owned(),
    };
    let live = stage.start(Mode::Live(model), "live.jsonl").unwrap();
    let answer = ask(&live, &question("x")).await;
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("cannot be reached"));
}

#[test]
fn what_is_no_cassette_says_how_to_get_one() {
    let stage = Stage::new();
    let error = Cassette::load(&stage.path("ful_01_x.json")).unwrap_err();
    assert!(matches!(error, CassetteError::Missing { .. }));
    assert!(
        error
            .to_string()
            .contains("cargo xtask cassettes refresh ful_01_x"),
        "{error}"
    );
    std::fs::write(stage.path("broken.json"), "{}").unwrap();
    let error = Cassette::load(&stage.path("broken.json")).unwrap_err();
    assert!(error.to_string().contains("is no cassette"), "{error}");
}
