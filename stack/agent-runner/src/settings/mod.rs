//! What the process is told by its environment (`docs/contract/processes.md`).

mod agents;
mod llm;

use stigmer_api::temporal_names::AGENT_EXECUTION_RUNNER;
use stigmer_process::{SettingError, number};
use stigmer_runner::{BackendSettings, RunnerSettings, max_concurrency, refused};
use stigmer_temporal::Target;

pub use self::{agents::AgentSettings, llm::LlmSettings};

/// Everything the process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Temporal to work for.
    pub temporal: Target,
    /// The queue to poll.
    pub task_queue: String,
    /// Activities that run at a time.
    pub max_activities: usize,
    /// The server to report to.
    pub backend: BackendSettings,
    /// The model to ask.
    pub llm: LlmSettings,
    /// What agents may do.
    pub agents: AgentSettings,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// Names the first variable that cannot be used and what it should hold.
    pub fn from_env() -> anyhow::Result<Self> {
        Ok(Self {
            task_queue: AGENT_EXECUTION_RUNNER.name(),
            max_activities: max_concurrency(10)?,
            backend: BackendSettings::from_env()?,
            llm: LlmSettings::from_env()?,
            agents: AgentSettings::from_env()?,
            temporal: Target::from_env()?,
        })
    }
}

impl RunnerSettings for Settings {
    fn temporal(&self) -> &Target {
        &self.temporal
    }

    fn task_queues(&self) -> Vec<String> {
        vec![self.task_queue.clone()]
    }
}

fn above_zero(variable: &'static str, default: u64) -> Result<u64, SettingError> {
    match number(variable, default)? {
        0 => Err(refused(variable, "0".to_owned(), "a number above 0")),
        number => Ok(number),
    }
}

/// A key becomes an HTTP header; the error must not repeat it.
fn header_safe(variable: &'static str, key: &str) -> Result<(), SettingError> {
    if key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    Err(refused(
        variable,
        "(not shown)".to_owned(),
        "printable ASCII",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_header_is_refused_without_being_shown() {
        let error = header_safe("STIGMER_LLM_API_KEY", "se\ncret")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("STIGMER_LLM_API_KEY") && !error.contains("cret"),
            "{error}"
        );
    }
}
