//! The settings file, `~/.stigmer/config.yaml`.
//!
//! It is read as a tree rather than into types, so that `config set` keeps what it does not know.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

const HEADER: &str = "# Settings of the stigmer CLI; see `stigmer config list`.\n";

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("HOME is not set, so there is no place for the settings; set it")]
    NoHome,
    #[error("failed to read {path}: {reason}")]
    Read { path: Utf8PathBuf, reason: String },
    #[error("failed to write {path}")]
    Write {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("unknown configuration key: {0}")]
    UnknownKey(String),
    #[error("invalid boolean value for {key}: {value}")]
    Boolean { key: String, value: String },
    #[error("invalid integer value for {key}: {value}")]
    Integer { key: String, value: String },
    #[error("invalid {what}: {value} (must be: {allowed})")]
    Choice {
        what: &'static str,
        value: String,
        allowed: &'static str,
    },
    #[error("unknown backend type: {value} (in {path}; run 'stigmer backend set local')")]
    BackendType { path: Utf8PathBuf, value: String },
}

/// What a key may hold.
enum Kind {
    Text,
    Boolean,
    Integer,
    /// What the value is called, the values, and the same for people.
    Choice(&'static str, &'static [&'static str], &'static str),
}

struct Key {
    name: &'static str,
    /// Where it is in the file.
    path: &'static [&'static str],
    kind: Kind,
    default: &'static str,
}

/// Every key, in the order of `config list`. The defaults of the model and its URL depend on the
/// provider and are looked up in [`default_of`].
#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key { name: "backend.type", path: &["backend", "type"], kind: Kind::Choice("backend type", &["local", "cloud"], "local or cloud"), default: "local" },
    Key { name: "llm.provider", path: &["backend", "local", "llm", "provider"], kind: Kind::Text, default: "ollama" },
    Key { name: "llm.model", path: &["backend", "local", "llm", "model"], kind: Kind::Text, default: "" },
    Key { name: "llm.base_url", path: &["backend", "local", "llm", "base_url"], kind: Kind::Text, default: "" },
    Key { name: "temporal.managed", path: &["backend", "local", "temporal", "managed"], kind: Kind::Boolean, default: "true" },
    Key { name: "temporal.port", path: &["backend", "local", "temporal", "port"], kind: Kind::Integer, default: "7233" },
    Key { name: "temporal.address", path: &["backend", "local", "temporal", "address"], kind: Kind::Text, default: "" },
    Key { name: "execution.mode", path: &["backend", "local", "execution", "mode"], kind: Kind::Choice("execution mode", &["local", "sandbox", "auto"], "local, sandbox, or auto"), default: "local" },
    Key { name: "execution.sandbox_image", path: &["backend", "local", "execution", "sandbox_image"], kind: Kind::Text, default: "ghcr.io/stigmer/agent-sandbox-basic:latest" },
    Key { name: "execution.auto_pull", path: &["backend", "local", "execution", "auto_pull"], kind: Kind::Boolean, default: "true" },
    Key { name: "execution.cleanup", path: &["backend", "local", "execution", "cleanup"], kind: Kind::Boolean, default: "true" },
    Key { name: "execution.ttl", path: &["backend", "local", "execution", "ttl"], kind: Kind::Integer, default: "3600" },
];

/// The settings of one user.
#[derive(Clone, Debug)]
pub struct Config {
    path: Utf8PathBuf,
    document: Value,
}

impl Config {
    /// Reads the settings of the user; a missing file means that everything is at its default.
    pub fn load() -> Result<Self, ConfigError> {
        let home = env::var("HOME")
            .ok()
            .filter(|home| !home.is_empty())
            .ok_or(ConfigError::NoHome)?;
        Self::load_from(Utf8Path::new(&home).join(".stigmer/config.yaml"))
    }

    fn load_from(path: Utf8PathBuf) -> Result<Self, ConfigError> {
        let fail = |reason: String| ConfigError::Read {
            path: path.clone(),
            reason,
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(fail(e.to_string())),
        };
        let options = serde_saphyr::options! { with_snippet: false };
        let document = match text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            true => Value::Object(Map::new()),
            false => serde_saphyr::from_str_with_options(&text, options)
                .map_err(|e| fail(format!("not valid YAML: {e}")))?,
        };
        if !document.is_object() {
            return Err(fail("not a YAML mapping; correct or remove it".to_owned()));
        }
        Ok(Self { path, document })
    }

    /// Where the settings are kept.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The backend, `local` or `cloud`.
    pub fn backend(&self) -> Result<String, ConfigError> {
        let value = self.get("backend.type")?;
        match value.as_str() {
            "local" | "cloud" => Ok(value),
            _ => Err(ConfigError::BackendType {
                path: self.path.clone(),
                value,
            }),
        }
    }

    /// The value of `key` in the file, else its default.
    pub fn get(&self, key: &str) -> Result<String, ConfigError> {
        let key = find(key)?;
        let stored = key
            .path
            .iter()
            .try_fold(&self.document, |node, step| node.get(*step));
        Ok(match stored {
            None | Some(Value::Null) => self.default_of(key),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        })
    }

    /// All keys and their values.
    pub fn list(&self) -> Result<Vec<(&'static str, String)>, ConfigError> {
        KEYS.iter()
            .map(|key| Ok((key.name, self.get(key.name)?)))
            .collect()
    }

    /// Changes `key` in memory; [`save`](Self::save) writes it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let key = find(key)?;
        let (name, text) = (key.name.to_owned(), value.to_owned());
        let new = match key.kind {
            Kind::Text => Value::from(value),
            Kind::Boolean => {
                Value::from(value.parse::<bool>().map_err(|_| ConfigError::Boolean {
                    key: name,
                    value: text,
                })?)
            }
            Kind::Integer => {
                Value::from(value.parse::<i64>().map_err(|_| ConfigError::Integer {
                    key: name,
                    value: text,
                })?)
            }
            Kind::Choice(what, values, allowed) => match values.contains(&value) {
                true => Value::from(value),
                false => {
                    return Err(ConfigError::Choice {
                        what,
                        value: text,
                        allowed,
                    });
                }
            },
        };
        let mut node = &mut self.document;
        for step in key.path {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            node = &mut node[*step];
        }
        *node = new;
        Ok(())
    }

    /// Writes the file, readable by its owner only, in one step.
    pub fn save(&self) -> Result<(), ConfigError> {
        let fail = |source: io::Error| ConfigError::Write {
            path: self.path.clone(),
            source,
        };
        let yaml =
            serde_saphyr::to_string(&self.document).map_err(|e| fail(io::Error::other(e)))?;
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir).map_err(fail)?;
        }
        let part = self
            .path
            .with_extension(format!("yaml.{}.part", std::process::id()));
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| file.write_all(format!("{HEADER}{yaml}").as_bytes()))
            .and_then(|()| fs::rename(&part, &self.path))
            .map_err(|e| {
                // The first error is the one to report; the part may not even exist.
                let _ = fs::remove_file(&part);
                fail(e)
            })
    }

    fn default_of(&self, key: &Key) -> String {
        let provider = || self.get("llm.provider").unwrap_or_default();
        let default = match (key.name, provider) {
            ("llm.model", provider) => match provider().as_str() {
                "anthropic" => "claude-sonnet-4.5",
                "openai" => "gpt-4",
                _ => "qwen2.5-coder:7b",
            },
            ("llm.base_url", provider) => match provider().as_str() {
                "anthropic" => "https://api.anthropic.com",
                "openai" => "https://api.openai.com/v1",
                _ => "http://localhost:11434",
            },
            _ => key.default,
        };
        default.to_owned()
    }
}

fn find(name: &str) -> Result<&'static Key, ConfigError> {
    KEYS.iter()
        .find(|key| key.name == name)
        .ok_or_else(|| ConfigError::UnknownKey(name.to_owned()))
}

#[cfg(test)]
mod tests;
