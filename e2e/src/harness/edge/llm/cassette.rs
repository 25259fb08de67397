//! Recorded answers of a model: a JSON file for people to read and to compare, one per test and
//! environment. No header is in it but the content type; secrets have their names in their place.

use std::{fs, io};

use base64::{Engine, engine::general_purpose::STANDARD};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stigmer_e2e_plan::write_json;

/// The version of the file's shape.
const FORMAT: u32 = 1;

/// A recording and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cassette {
    /// The version of the file's shape.
    pub format: u32,
    /// The path of the test in the suite.
    pub test: String,
    /// When it was begun, RFC 3339.
    pub recorded_at: String,
    /// Who served the model, such as `llama-cpp`.
    pub provider: String,
    /// The model's name in requests.
    pub model: String,
    /// SHA-256 of the model file in hex, when the model is pinned.
    pub model_sha256: Option<String>,
    /// The version and build of the agent-runner that asked.
    pub runner: String,
    /// What was asked and answered, in the order of the questions.
    pub exchanges: Vec<Exchange>,
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked.
    pub request: Recording,
    /// HTTP status of the answer.
    pub status: u16,
    /// Content type of the answer.
    pub content_type: Option<String>,
    /// The answer as it came.
    pub chunks: Vec<Chunk>,
    /// How it ended.
    pub end: End,
}

/// A request, as far as it decides about the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// HTTP method.
    pub method: String,
    /// The path below the base URL, with its query.
    pub path: String,
    /// The body; a text when it is no JSON, nothing when it is empty.
    pub body: Value,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Milliseconds since the piece before, or since the request.
    pub after_ms: u64,
    /// Its bytes.
    #[serde(flatten)]
    pub data: Data,
}

/// Bytes, readable wherever they can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// As text.
    Text(String),
    /// In Base64: they begin or end in the middle of a character.
    Base64(String),
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// As it should.
    Complete,
    /// The model's server broke the connection.
    Cut,
    /// Whoever asked went away.
    Abandoned,
}

/// A cassette cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// There is none.
    #[error(
        "{path} does not exist; `cargo xtask cassettes refresh {test}` records it with a real model"
    )]
    Missing {
        /// The file.
        path: Utf8PathBuf,
        /// What the test's name begins with.
        test: String,
    },
    /// It cannot be read.
    #[error("failed to read {path}: {source}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It is none.
    #[error("{path} is no cassette ({reason}); `cargo xtask cassettes refresh` records it anew")]
    Broken {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Cassette {
    /// An empty one of the current format.
    pub(super) fn new(test: String, provider: String, model: String) -> Self {
        Self {
            format: FORMAT,
            test,
            recorded_at: stigmer_api::time::rfc3339_now(),
            provider,
            model,
            model_sha256: None,
            runner: String::new(),
            exchanges: Vec::new(),
        }
    }

    /// Reads the cassette in `path`.
    ///
    /// # Errors
    ///
    /// When there is none, or one of another shape.
    pub fn load(path: &Utf8Path) -> Result<Self, CassetteError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => CassetteError::Missing {
                path: path.to_owned(),
                test: path.file_stem().unwrap_or_default().to_owned(),
            },
            _ => CassetteError::Io {
                path: path.to_owned(),
                source,
            },
        })?;
        let broken = |reason: String| CassetteError::Broken {
            path: path.to_owned(),
            reason,
        };
        let cassette: Self = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
        if cassette.format != FORMAT {
            return Err(broken(format!("format {}, not {FORMAT}", cassette.format)));
        }
        let mut chunks = cassette.exchanges.iter().flat_map(|it| &it.chunks);
        match chunks.find_map(|chunk| chunk.decoded().err()) {
            Some(error) => Err(broken(error.to_string())),
            None => Ok(cassette),
        }
    }

    /// Writes it whole.
    pub(super) fn save(&self, path: &Utf8Path) -> anyhow::Result<()> {
        write_json(path, self)
    }
}

impl Chunk {
    pub(super) fn new(after_ms: u64, bytes: &[u8]) -> Self {
        let data = match std::str::from_utf8(bytes) {
            Ok(text) => Data::Text(text.to_owned()),
            Err(_) => Data::Base64(STANDARD.encode(bytes)),
        };
        Self { after_ms, data }
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        // What is no Base64 was refused when the cassette was loaded.
        self.decoded().unwrap_or_default()
    }

    fn decoded(&self) -> Result<Vec<u8>, base64::DecodeError> {
        match &self.data {
            Data::Text(text) => Ok(text.clone().into_bytes()),
            Data::Base64(text) => STANDARD.decode(text),
        }
    }
}

impl Exchange {
    /// The answer's bytes in one piece, as text.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.chunks.iter().flat_map(Chunk::bytes).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
