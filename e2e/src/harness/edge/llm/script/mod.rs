//! The scripted model as a server: `POST /v1/chat/completions`, streamed or whole, and
//! `GET /v1/models`, on a port of its own. Every request and every chunk goes into `llm.jsonl`.

mod answers;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{base_url, openai};
use crate::harness::{Journal, edge::listening::Listening};
pub use answers::{Expectation, Reply, Seen};
use answers::{Kind, Part, Script};

/// A running scripted model. Ends when dropped.
#[derive(Debug)]
pub struct ScriptLlm {
    base_url: String,
    edge: Arc<Edge>,
    _listening: Listening,
}

#[derive(Debug)]
struct Edge {
    script: Mutex<Script>,
    journal: Journal,
    requests: AtomicU64,
}

impl ScriptLlm {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub(crate) fn start(journal: Journal) -> io::Result<Self> {
        let edge = Arc::new(Edge {
            script: Mutex::default(),
            journal,
            requests: AtomicU64::new(0),
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/models", get(async || Json(openai::models())))
            .fallback(any(unknown))
            .with_state(edge.clone());
        let listening = Listening::start(router)?;
        Ok(Self {
            base_url: base_url(&listening),
            edge,
            _listening: listening,
        })
    }

    /// Up to and including `/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The name of the only model.
    pub fn model(&self) -> &'static str {
        openai::MODEL
    }

    /// A request that has to come before the test ends, and its reply.
    pub fn expect(&self, expectation: Expectation) {
        self.edge.script().expect(expectation);
    }

    /// Answers every request that no expectation fits.
    pub fn answer_any(&self, reply: Reply) {
        self.edge.script().answer_any(reply);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.edge.script().seen.clone()
    }

    /// Unexpected requests, and expectations that nothing used.
    pub(crate) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        self.edge.script().complaints()
    }
}

impl Edge {
    fn script(&self) -> MutexGuard<'_, Script> {
        // The script stays usable whatever a panicking test was doing with it.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn unknown(State(edge): State<Arc<Edge>>, request: axum::extract::Request) -> Response {
    let what = format!("{} {}", request.method(), request.uri());
    edge.journal.write(json!({"unexpected": what}));
    edge.script().unexpected(what);
    (
        StatusCode::NOT_FOUND,
        Json(openai::error(404, "no such endpoint")),
    )
        .into_response()
}

async fn chat(State(edge): State<Arc<Edge>>, Json(body): Json<Value>) -> Response {
    let id = edge.requests.fetch_add(1, Ordering::Relaxed) + 1;
    edge.journal.write(json!({"request": id, "body": body}));
    let stream = body["stream"].as_bool().unwrap_or(false);
    let with_usage = body["stream_options"]["include_usage"]
        .as_bool()
        .unwrap_or(false);
    let seen = Seen { body };
    let model = seen.model().to_owned();
    let reply = edge.script().reply_to(seen);
    let answer = Answer {
        edge,
        id,
        model,
        with_usage,
    };
    match reply.kind {
        Kind::Status { code, message } => answer.status(code, &message),
        Kind::Malformed => answer.whole("{\"choices\": [ this is no JSON".to_owned()),
        Kind::Silence => {
            answer.note(&json!({"silence": true}));
            std::future::pending().await
        }
        Kind::Parts { parts, cut } if stream => answer.stream(parts, cut),
        Kind::Parts { parts, cut } => answer.at_once(parts, cut).await,
    }
}

/// One request being answered.
struct Answer {
    edge: Arc<Edge>,
    id: u64,
    model: String,
    with_usage: bool,
}

impl Answer {
    fn note(&self, what: &Value) {
        self.edge
            .journal
            .write(json!({"request": self.id, "answer": what}));
    }

    fn status(&self, code: u16, message: &str) -> Response {
        self.note(&json!({"status": code}));
        // Codes come from tests; one that HTTP does not know is a mistake there.
        let status = StatusCode::from_u16(code).expect("an HTTP status code");
        (status, Json(openai::error(code, message))).into_response()
    }

    fn whole(&self, body: String) -> Response {
        self.note(&json!({"body": body}));
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }

    async fn at_once(&self, parts: Vec<Part>, cut: bool) -> Response {
        let (mut text, mut calls) = (String::new(), Vec::new());
        let tokens = parts.len();
        for part in parts {
            match ready(part).await {
                Some(Said::Text(chunk)) => text.push_str(&chunk),
                Some(Said::Call { name, arguments }) => {
                    calls.push(openai::call(self.id, calls.len(), &name, &arguments));
                }
                None => {}
            }
        }
        if cut {
            self.note(&json!({"cut": true}));
            let broken =
                tokio_stream::iter([Err::<Bytes, _>(io::Error::other("cut by the script"))]);
            return Body::from_stream(broken).into_response();
        }
        let completion = openai::completion(self.id, &self.model, &text, calls, tokens);
        self.whole(completion.to_string())
    }

    fn stream(self, parts: Vec<Part>, cut: bool) -> Response {
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            let complete = self.send_parts(parts, cut, &sender).await;
            self.note(&json!({"end": if !complete { "client gone" } else if cut { "cut" } else { "complete" }}));
            if cut {
                // The client being gone already is the same to it.
                let _ = sender
                    .send(Err(io::Error::other("cut by the script")))
                    .await;
            }
        });
        let body = Body::from_stream(ReceiverStream::new(receiver));
        ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
    }

    /// Sends everything; false when the client went away meanwhile.
    async fn send_parts(
        &self,
        parts: Vec<Part>,
        cut: bool,
        to: &mpsc::Sender<io::Result<String>>,
    ) -> bool {
        let tokens = parts.len();
        let role = openai::chunk(
            self.id,
            &self.model,
            &json!({"role": "assistant", "content": ""}),
            None,
        );
        let mut sent = to.send(Ok(role)).await.is_ok();
        let mut calls = 0;
        for part in parts {
            let deltas = match ready(part).await {
                None => continue,
                Some(Said::Text(text)) => {
                    self.note(&json!({"chunk": text}));
                    vec![json!({"content": text})]
                }
                Some(Said::Call { name, arguments }) => {
                    self.note(&json!({"call": name, "arguments": arguments}));
                    calls += 1;
                    openai::call_deltas(self.id, calls - 1, &name, &arguments)
                }
            };
            for delta in deltas {
                let chunk = openai::chunk(self.id, &self.model, &delta, None);
                sent = sent && to.send(Ok(chunk)).await.is_ok();
            }
        }
        if cut {
            return sent;
        }
        let reason = if calls > 0 { "tool_calls" } else { "stop" };
        let end = openai::chunk(self.id, &self.model, &json!({}), Some(reason));
        let usage = self
            .with_usage
            .then(|| openai::usage_chunk(self.id, &self.model, tokens));
        for event in [Some(end), usage, Some(openai::DONE.to_owned())]
            .into_iter()
            .flatten()
        {
            sent = sent && to.send(Ok(event)).await.is_ok();
        }
        sent
    }
}

/// What a part adds to the answer.
enum Said {
    Text(String),
    Call { name: String, arguments: String },
}

/// What `part` adds once it is its turn, if anything.
async fn ready(part: Part) -> Option<Said> {
    match part {
        Part::Text(text) => return Some(Said::Text(text)),
        Part::Tool { name, arguments } => return Some(Said::Call { name, arguments }),
        Part::Wait(gate) => gate.pass().await,
        Part::Pause(time) => tokio::time::sleep(time).await,
    }
    None
}
