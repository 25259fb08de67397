//! The edge between agent-runners and their model: an OpenAI-compatible API of the test's own, in one
//! of four modes. Whatever the mode, every request and every piece of an answer goes into `llm.jsonl`.

mod cassette;
mod live;
mod nearest;
mod openai;
mod recorder;
mod replay;
mod request;
mod script;
#[cfg(test)]
mod tests;

use std::io;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::listening::Listening;
use crate::{
    harness::{Journal, secrets::Secrets},
    session::SharedModel,
};

pub use cassette::{Cassette, CassetteError, Chunk, End, Exchange, Recording};
use live::Live;
use recorder::Recorder;
use replay::Replay;
pub use script::{Expectation, Reply, ScriptLlm, Seen};

/// Where answers come from.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// The test.
    Script,
    /// A model.
    Live(SharedModel),
    /// A model; its answers are kept.
    Record(SharedModel, NewCassette),
    /// What is in this cassette, and nothing else.
    Replay(Utf8PathBuf),
}

/// A cassette to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct NewCassette {
    /// Its file.
    pub path: Utf8PathBuf,
    /// The path of the test in the suite.
    pub test: String,
    /// The version and build of the agent-runner that asks.
    pub runner: String,
}

/// The model is not there, or has not been recorded.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// No port, or no client.
    #[error("failed to start the edge to the model: {0}")]
    Io(#[from] io::Error),
    /// The cassette cannot be played.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

/// A running edge. Ends when dropped.
#[derive(Debug)]
pub(crate) enum Llm {
    Script(ScriptLlm),
    Live(Live),
    Replay(Replay),
}

/// Which model answers, or answered when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelOrigin {
    /// `live`, `record`, or `replay`.
    pub mode: &'static str,
    /// Its name in requests.
    pub name: String,
    /// SHA-256 of its file in hex, when it is pinned.
    pub sha256: Option<String>,
    /// Who serves it, such as `llama-cpp`.
    pub provider: String,
    /// When it was recorded, RFC 3339; of a replay only.
    pub recorded_at: Option<String>,
    /// The recording that is made or played.
    pub cassette: Option<Utf8PathBuf>,
}

impl Llm {
    /// Listens on a free loopback port. `secrets` are written into no cassette.
    pub(crate) fn start(mode: Mode, journal: Journal, secrets: Secrets) -> Result<Self, LlmError> {
        Ok(match mode {
            Mode::Script => Self::Script(ScriptLlm::start(journal)?),
            Mode::Live(model) => Self::Live(Live::start(model, None, journal)?),
            Mode::Record(model, cassette) => {
                let recorder = Recorder::new(&model, cassette, secrets);
                Self::Live(Live::start(model, Some(recorder), journal)?)
            }
            Mode::Replay(path) => Self::Replay(Replay::start(path, journal, secrets)?),
        })
    }

    /// Up to and including `/v1`.
    pub(crate) fn base_url(&self) -> &str {
        match self {
            Self::Script(llm) => llm.base_url(),
            Self::Live(llm) => llm.base_url(),
            Self::Replay(llm) => llm.base_url(),
        }
    }

    /// The name of the model to ask for.
    pub(crate) fn model(&self) -> &str {
        match self {
            Self::Script(llm) => llm.model(),
            Self::Live(llm) => &llm.origin().name,
            Self::Replay(llm) => &llm.origin().name,
        }
    }

    /// Which model it is, unless the test answers in its place.
    pub(crate) fn origin(&self) -> Option<&ModelOrigin> {
        match self {
            Self::Script(_) => None,
            Self::Live(llm) => Some(llm.origin()),
            Self::Replay(llm) => Some(llm.origin()),
        }
    }

    /// The scripted model.
    pub(crate) fn script(&self) -> Option<&ScriptLlm> {
        match self {
            Self::Script(llm) => Some(llm),
            Self::Live(_) | Self::Replay(_) => None,
        }
    }

    /// What it is to whoever reads a complaint.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Script(_) => "the scripted model",
            Self::Live(_) => "the model",
            Self::Replay(_) => "the recorded model",
        }
    }

    /// Unexpected requests, and what was expected or recorded and nobody asked for.
    pub(crate) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Script(llm) => llm.complaints(),
            Self::Live(llm) => (llm.complaints(), Vec::new()),
            Self::Replay(llm) => llm.complaints(),
        }
    }
}

/// Where an edge is found.
fn base_url(listening: &Listening) -> String {
    format!("http://{}/v1", listening.address())
}
