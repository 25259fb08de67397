//! Writes a cassette while a model answers.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    NewCassette,
    cassette::{Cassette, Chunk, Data, End, Exchange, Recording},
    openai,
};
use crate::{harness::secrets::Secrets, session::SharedModel};

/// A cassette that is being recorded. It is written anew after each answer, so that a test that is cut
/// off leaves one as well.
#[derive(Debug)]
pub(super) struct Recorder {
    target: NewCassette,
    secrets: Secrets,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    cassette: Cassette,
    /// In the order of the questions; nothing while an answer goes on.
    answered: Vec<Option<Exchange>>,
    complaints: Vec<String>,
}

/// An answer on its way into a cassette.
#[derive(Debug)]
pub(super) struct Take {
    index: usize,
    exchange: Exchange,
    key: Option<String>,
    last: Instant,
}

impl Recorder {
    pub(super) fn new(model: &SharedModel, target: NewCassette, secrets: Secrets) -> Self {
        let cassette = Cassette {
            model_sha256: model.sha256.clone(),
            runner: target.runner.clone(),
            ..Cassette::new(
                target.test.clone(),
                model.provider.clone(),
                model.model.clone(),
            )
        };
        Self {
            target,
            secrets,
            state: Mutex::new(State {
                cassette,
                answered: Vec::new(),
                complaints: Vec::new(),
            }),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &camino::Utf8Path {
        &self.target.path
    }

    /// A question came, with the API key that its headers hold.
    pub(super) fn begin(&self, request: Recording, key: Option<String>) -> Take {
        let mut state = self.state();
        state.answered.push(None);
        Take {
            index: state.answered.len() - 1,
            exchange: Exchange {
                request,
                status: 0,
                content_type: None,
                chunks: Vec::new(),
                end: End::Abandoned,
            },
            key,
            last: Instant::now(),
        }
    }

    /// An answer ended; what is known by now is written.
    pub(super) fn end(&self, mut take: Take, end: End) {
        take.exchange.end = end;
        let mut state = self.state();
        if let Some(name) = self.repeated(&take.exchange) {
            // In pieces it cannot be replaced by its name.
            state.complaints.push(format!(
                "the model repeated the secret {name}, so its answer is not recorded"
            ));
            return;
        }
        let index = take.index;
        state.answered[index] = Some(self.masked(take));
        state.cassette.exchanges = state.answered.iter().flatten().cloned().collect();
        if let Err(error) = state.cassette.save(&self.target.path) {
            state.complaints.push(format!("{error:#}"));
        }
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// The secret that the pieces of an answer make up together.
    fn repeated(&self, exchange: &Exchange) -> Option<String> {
        let text = exchange.text();
        let said: String = text
            .lines()
            .filter_map(|line| openai::said(line.strip_prefix("data: ")?))
            .collect();
        self.secrets.first_in(&said)
    }

    fn masked(&self, mut take: Take) -> Exchange {
        let exchange = &mut take.exchange;
        exchange.request.body = self.secrets.mask_json(exchange.request.body.take());
        for chunk in &mut exchange.chunks {
            if let Data::Text(text) = &mut chunk.data {
                *text = self.secrets.mask(text);
                if let Some(key) = &take.key {
                    // Servers say which key they refuse.
                    *text = text.replace(key, "‹API key›");
                }
            }
        }
        take.exchange
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Take {
    /// The answer begins.
    pub(super) fn answered(&mut self, status: u16, content_type: Option<String>) {
        self.exchange.status = status;
        self.exchange.content_type = content_type;
    }

    /// A piece of it came.
    pub(super) fn chunk(&mut self, bytes: &[u8]) {
        let after = self.last.elapsed();
        self.last += after;
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        self.exchange.chunks.push(Chunk::new(after_ms, bytes));
    }
}
