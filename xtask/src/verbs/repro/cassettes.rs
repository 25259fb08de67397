//! The answers of the model in a results folder, so that a failure does not depend on what a model says
//! the next time.

use std::fmt;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::LlmChoice;

use crate::plan::absolute;

/// The recorded answers of a run.
pub struct Cassettes {
    folder: Utf8PathBuf,
}

impl Cassettes {
    /// The answers in `results`, if at least one of `tests` (their paths in the suite) recorded some.
    pub fn of(results: &Utf8Path, tests: &[String]) -> Option<Self> {
        let folder = results.join("cassettes");
        let has = |test: &String| {
            let function = test.rsplit("::").next().unwrap_or(test);
            folder.join(format!("{function}.json")).is_file()
        };
        tests.iter().any(has).then_some(Self { folder })
    }

    /// The choice that plays them.
    pub fn replayed(&self) -> Result<LlmChoice> {
        let cassettes = absolute(&self.folder)?;
        Ok(LlmChoice::Replay { cassettes })
    }
}

impl fmt::Display for Cassettes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}", self.folder)
    }
}
