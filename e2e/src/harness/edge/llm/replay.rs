//! Recorded answers in place of a model: each recorded exchange answers the request that it was
//! recorded for, once, piece by piece and as slowly as then. Any other request is a miss.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    LlmError, ModelOrigin, base_url,
    cassette::{Cassette, End, Exchange, Recording},
    live::note_chunk,
    nearest::differences,
    openai,
    request::Arrived,
};
use crate::harness::{Journal, edge::listening::Listening, secrets::Secrets};

/// A running edge that plays a cassette. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Replay {
    base_url: String,
    origin: ModelOrigin,
    edge: Arc<Edge>,
    _listening: Listening,
}

#[derive(Debug)]
struct Edge {
    player: Mutex<Player>,
    secrets: Secrets,
    journal: Journal,
    requests: AtomicU64,
}

/// What is recorded, and what of it was played.
#[derive(Debug)]
struct Player {
    path: Utf8PathBuf,
    exchanges: Vec<(Exchange, bool)>,
    misses: Vec<String>,
}

impl Replay {
    pub(super) fn start(
        path: Utf8PathBuf,
        journal: Journal,
        secrets: Secrets,
    ) -> Result<Self, LlmError> {
        let cassette = Cassette::load(&path)?;
        let origin = ModelOrigin {
            mode: "replay",
            name: cassette.model,
            sha256: cassette.model_sha256,
            provider: cassette.provider,
            recorded_at: Some(cassette.recorded_at),
            cassette: Some(path.clone()),
        };
        let edge = Arc::new(Edge {
            player: Mutex::new(Player::new(path, cassette.exchanges)),
            secrets,
            journal,
            requests: AtomicU64::new(0),
        });
        let router = Router::new().fallback(play).with_state(edge.clone());
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

    pub(super) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        let player = self.edge.player();
        (player.misses.clone(), player.unplayed())
    }
}

impl Edge {
    fn player(&self) -> MutexGuard<'_, Player> {
        self.player.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Player {
    fn new(path: Utf8PathBuf, exchanges: Vec<Exchange>) -> Self {
        Self {
            path,
            exchanges: exchanges.into_iter().map(|it| (it, false)).collect(),
            misses: Vec::new(),
        }
    }

    /// The first recording of exactly `asked` that was not played yet.
    fn play(&mut self, asked: &Recording) -> Option<Exchange> {
        let next = self
            .exchanges
            .iter_mut()
            .find(|(it, played)| !played && differences(&it.request, asked).is_empty());
        match next {
            Some((exchange, played)) => {
                *played = true;
                Some(exchange.clone())
            }
            None => {
                self.misses.push(self.miss(asked));
                None
            }
        }
    }

    /// Why `asked` has no answer: the recording that is nearest to it, and where the two differ.
    fn miss(&self, asked: &Recording) -> String {
        let Recording { method, path, .. } = asked;
        let distances = self
            .exchanges
            .iter()
            .map(|(it, played)| (differences(&it.request, asked), *played));
        // Of two equally near ones, the one that is still to be played is meant.
        let nearest = distances
            .enumerate()
            .min_by_key(|(_, (differences, played))| (differences.len(), *played));
        let what = format!("{method} {path} is not recorded in {}", self.path);
        match nearest {
            None => format!("{what}, which is empty"),
            Some((index, (differences, _))) if differences.is_empty() => format!(
                "{method} {path} came more often than it is recorded in {}: exchange {} was its last",
                self.path,
                index + 1
            ),
            Some((index, (differences, _))) => {
                let differences = differences.join("\n  ");
                format!(
                    "{what}; the nearest is exchange {}, and differs in\n  {differences}",
                    index + 1
                )
            }
        }
    }

    fn unplayed(&self) -> Vec<String> {
        let unplayed = self.exchanges.iter().enumerate();
        let unplayed = unplayed.filter(|(_, (_, played))| !played);
        unplayed
            .map(|(index, (it, _))| {
                let Recording { method, path, .. } = &it.request;
                let number = index + 1;
                format!(
                    "nobody asked for exchange {number} of {}: {method} {path}",
                    self.path
                )
            })
            .collect()
    }
}

async fn play(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let mut asked = match Arrived::read(request).await {
        Ok(arrived) => arrived.asked,
        Err(refusal) => return refusal,
    };
    asked.body = edge.secrets.mask_json(asked.body);
    let id = edge.requests.fetch_add(1, Ordering::Relaxed) + 1;
    edge.journal.write(
        json!({"request": id, "method": asked.method, "path": asked.path, "body": asked.body}),
    );
    let exchange = edge.player().play(&asked);
    match exchange {
        Some(exchange) => answer(edge, id, exchange),
        None => {
            let miss = edge.player().misses.last().cloned().unwrap_or_default();
            edge.note(id, &json!({"miss": miss}));
            // No status that is worth another try.
            let status = StatusCode::BAD_REQUEST;
            (status, Json(openai::error(status.as_u16(), &miss))).into_response()
        }
    }
}

fn answer(edge: Arc<Edge>, id: u64, exchange: Exchange) -> Response {
    let status = StatusCode::from_u16(exchange.status);
    let content_type = exchange
        .content_type
        .as_deref()
        .and_then(|text| HeaderValue::from_str(text).ok());
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(1);
    tokio::spawn(async move {
        for chunk in &exchange.chunks {
            tokio::time::sleep(Duration::from_millis(chunk.after_ms)).await;
            let bytes = chunk.bytes();
            note_chunk(&edge.journal, id, &bytes);
            if sender.send(Ok(bytes.into())).await.is_err() {
                edge.note(id, &json!({"end": End::Abandoned}));
                return;
            }
        }
        edge.note(id, &json!({"end": exchange.end}));
        match exchange.end {
            End::Complete => {}
            End::Cut => {
                let cut = io::Error::other("cut as recorded");
                let _ = sender.send(Err(cut)).await;
            }
            // The model had more to say.
            End::Abandoned => sender.closed().await,
        }
    });
    let mut response = Body::from_stream(ReceiverStream::new(receiver)).into_response();
    *response.status_mut() = status.unwrap_or(StatusCode::BAD_GATEWAY);
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

impl Edge {
    fn note(&self, id: u64, what: &Value) {
        self.journal.write(json!({"request": id, "answer": what}));
    }
}
