//! A model in between: each request goes on to it, each piece of its answer comes back as it arrives.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        StatusCode,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    ModelOrigin, base_url,
    cassette::End,
    openai,
    recorder::{Recorder, Take},
    request::Arrived,
};
use crate::{
    harness::{Journal, edge::listening::Listening, with_causes},
    session::SharedModel,
};

/// A running edge before a model. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Live {
    base_url: String,
    origin: ModelOrigin,
    edge: Arc<Edge>,
    _listening: Listening,
}

#[derive(Debug)]
struct Edge {
    http: reqwest::Client,
    upstream: String,
    recorder: Option<Recorder>,
    journal: Journal,
    requests: AtomicU64,
}

impl Live {
    pub(super) fn start(
        model: SharedModel,
        recorder: Option<Recorder>,
        journal: Journal,
    ) -> io::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            // As agent-runners do: a request on a connection that is about to close cannot be repeated.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(io::Error::other)?;
        let origin = ModelOrigin {
            mode: match recorder {
                Some(_) => "record",
                None => "live",
            },
            name: model.model,
            sha256: model.sha256,
            provider: model.provider,
            recorded_at: None,
            cassette: recorder.as_ref().map(|it| it.path().to_owned()),
        };
        let edge = Arc::new(Edge {
            http,
            upstream: model.base_url,
            recorder,
            journal,
            requests: AtomicU64::new(0),
        });
        let router = Router::new().fallback(forward).with_state(edge.clone());
        let listening = Listening::start(router)?;
        Ok(Self {
            base_url: base_url(&listening),
            origin,
            edge,
            _listening: listening,
        })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn origin(&self) -> &ModelOrigin {
        &self.origin
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        let recorder = self.edge.recorder.as_ref();
        recorder.map(Recorder::complaints).unwrap_or_default()
    }
}

async fn forward(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let arrived = match Arrived::read(request).await {
        Ok(arrived) => arrived,
        Err(refusal) => return refusal,
    };
    let id = edge.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let key = arrived.key();
    let sent = edge.send(&arrived);
    let asked = arrived.asked;
    edge.journal.write(
        json!({"request": id, "method": asked.method, "path": asked.path, "body": asked.body}),
    );
    let take = edge.recorder.as_ref().map(|it| it.begin(asked, key));
    let mut passage = Passage { edge, id, take };
    match sent.await {
        Ok(answer) => passage.answer(answer),
        Err(error) => passage.unreachable(&with_causes(&error)),
    }
}

impl Edge {
    /// The request to the model; it is sent when the returned future runs.
    fn send(
        &self,
        arrived: &Arrived,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
        let url = format!("{}{}", self.upstream, arrived.asked.path);
        let request = self.http.request(arrived.method.clone(), url);
        let mut request = request.body(arrived.body.clone());
        for name in [ACCEPT, AUTHORIZATION, CONTENT_TYPE] {
            if let Some(value) = arrived.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        request.send()
    }
}

/// One answer on its way back.
struct Passage {
    edge: Arc<Edge>,
    id: u64,
    take: Option<Take>,
}

impl Passage {
    fn note(&self, what: &Value) {
        self.edge
            .journal
            .write(json!({"request": self.id, "answer": what}));
    }

    /// Nobody answered.
    fn unreachable(&mut self, cause: &str) -> Response {
        let status = StatusCode::BAD_GATEWAY;
        let body = openai::error(
            status.as_u16(),
            &format!("the model cannot be reached: {cause}"),
        );
        if let Some(take) = &mut self.take {
            take.answered(status.as_u16(), Some("application/json".to_owned()));
            take.chunk(body.to_string().as_bytes());
        }
        self.note(&json!({"status": status.as_u16(), "body": body}));
        self.end(End::Complete);
        (status, Json(body)).into_response()
    }

    /// Passes on what comes, piece by piece.
    fn answer(mut self, mut answer: reqwest::Response) -> Response {
        let status = answer.status();
        let content_type = answer.headers().get(CONTENT_TYPE).cloned();
        let shown = content_type
            .as_ref()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if let Some(take) = &mut self.take {
            take.answered(status.as_u16(), shown);
        }
        if !status.is_success() {
            self.note(&json!({"status": status.as_u16()}));
        }
        let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(64);
        tokio::spawn(async move {
            let end = loop {
                let next = tokio::select! {
                    // Dropping the answer stops the model.
                    () = sender.closed() => break End::Abandoned,
                    next = answer.chunk() => next,
                };
                match next {
                    Ok(Some(bytes)) => {
                        self.chunk(&bytes);
                        if sender.send(Ok(bytes)).await.is_err() {
                            break End::Abandoned;
                        }
                    }
                    Ok(None) => break End::Complete,
                    Err(error) => {
                        // Whoever asked sees what happened here: a connection that breaks.
                        let cut = io::Error::other(with_causes(&error));
                        let _ = sender.send(Err(cut)).await;
                        break End::Cut;
                    }
                }
            };
            // Before the end of the answer is seen, so that its cassette is whole by then.
            self.end(end);
            drop(sender);
        });
        let mut response = Body::from_stream(ReceiverStream::new(receiver)).into_response();
        *response.status_mut() = status;
        if let Some(content_type) = content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }

    fn chunk(&mut self, bytes: &[u8]) {
        if let Some(take) = &mut self.take {
            take.chunk(bytes);
        }
        note_chunk(&self.edge.journal, self.id, bytes);
    }

    fn end(&mut self, end: End) {
        if let (Some(recorder), Some(take)) = (&self.edge.recorder, self.take.take()) {
            recorder.end(take, end);
        }
        self.note(&json!({"end": end}));
    }
}

/// Writes down the text in a piece of an answer, or what else it is.
pub(super) fn note_chunk(journal: &Journal, id: u64, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let said = line.strip_prefix("data: ").and_then(openai::said);
        let answer = match said.filter(|said| !said.is_empty()) {
            Some(said) => json!({"chunk": said}),
            None => json!({"event": line}),
        };
        journal.write(json!({"request": id, "answer": answer}));
    }
}
