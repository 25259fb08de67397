//! Which model answers in an environment, and what the agent-runner is told about it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    StartError,
    settings::{Variables, pairs},
};
use crate::{
    harness::{
        Test,
        edge::{Llm, Mode, NewCassette},
        record::function_name,
    },
    session::SharedModel,
};

/// A cached prompt changes what llama.cpp answers, even at temperature 0; other servers ignore it.
const STEADY: &str = r#"{"temperature": 0, "seed": 7, "cache_prompt": false}"#;

/// The longest answer of a real model, in tokens: small models like to go on.
const SHORT: u32 = 64;

/// Who answers, as the test chose.
#[derive(Clone, Debug, Default)]
pub(super) enum ModelChoice {
    /// The test.
    #[default]
    Script,
    /// The run's model, which is recorded; in a run without one what was recorded of it.
    Run,
    /// This model, which is recorded.
    Given(SharedModel),
    /// What is in this file.
    Recorded(Utf8PathBuf),
    /// The pinned model, in a process of the environment's own.
    Own,
}

impl ModelChoice {
    /// The mode of the edge; `own` is the environment's own model, once it runs.
    pub(super) fn mode(
        &self,
        test: &Test,
        number: usize,
        own: Option<SharedModel>,
    ) -> Result<Mode, StartError> {
        let session = test.session();
        Ok(match self {
            Self::Script => Mode::Script,
            Self::Run => match (&session.llm, &session.cassettes) {
                (Some(model), _) => {
                    Mode::Record(model.clone(), new_cassette(test, number, &session.results))
                }
                (None, Some(folder)) => Mode::Replay(kept(test, number, folder)),
                (None, None) => return Err(StartError::NoModel),
            },
            Self::Given(model) => {
                Mode::Record(model.clone(), new_cassette(test, number, test.folder()))
            }
            Self::Recorded(path) => Mode::Replay(path.clone()),
            Self::Own => Mode::Live(own.ok_or(StartError::NoModel)?),
        })
    }
}

/// The cassette of the environment `number` of a test: its test's name, and from the second on also
/// its number.
fn file_name(test: &Test, number: usize) -> String {
    let name = function_name(test.name());
    match number {
        1 => format!("{name}.json"),
        _ => format!("{name}.{number}.json"),
    }
}

/// The cassette in `folder`, and a copy of it in the results, which are whole by themselves.
fn kept(test: &Test, number: usize, folder: &Utf8Path) -> Utf8PathBuf {
    let name = file_name(test, number);
    let cassette = folder.join(&name);
    let results = test.session().results.join("cassettes");
    // A cassette that is not there is told by whoever plays it.
    let _ = fs::create_dir_all(&results).and_then(|()| fs::copy(&cassette, results.join(name)));
    cassette
}

/// What is to be recorded below `folder`.
fn new_cassette(test: &Test, number: usize, folder: &Utf8Path) -> NewCassette {
    let session = test.session();
    let runner = session.versions.get("agent-runner");
    NewCassette {
        path: folder.join("cassettes").join(file_name(test, number)),
        test: test.name().to_owned(),
        runner: runner.cloned().unwrap_or_default(),
    }
}

/// The agent-runner's variables.
pub(super) fn settings(llm: &Llm) -> Variables {
    let mut variables = pairs([
        ("STIGMER_LLM_BASE_URL", llm.base_url().to_owned()),
        ("STIGMER_LLM_MODEL", llm.model().to_owned()),
    ]);
    if llm.script().is_none() {
        variables.extend(pairs([
            ("STIGMER_LLM_EXTRA_BODY", STEADY.to_owned()),
            ("STIGMER_LLM_MAX_TOKENS", SHORT.to_string()),
        ]));
    }
    variables
}
