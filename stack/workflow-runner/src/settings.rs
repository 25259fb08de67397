//! What the process is told by its environment (`docs/contract/processes.md`).

use reqwest::Url;
use stigmer_api::temporal_names::{
    WORKFLOW_EXECUTION_RUNNER, WORKFLOW_VALIDATION_RUNNER, ZIGFLOW_EXECUTION,
};
use stigmer_process::{SettingError, number, text_or};
use stigmer_temporal::Target;

/// Calls of tasks that run at a time, unless told otherwise. A slow service must not hold up the
/// calls of other workflows.
const DEFAULT_CALLS: usize = 100;

/// Everything the process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Temporal to work for.
    pub temporal: Target,
    /// The queues to poll.
    pub queues: Queues,
    /// Calls of tasks that run at a time.
    pub max_calls: usize,
    /// The server to report to.
    pub backend: BackendSettings,
}

/// The queues to poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Executions.
    pub execution: String,
    /// Their tasks.
    pub tasks: String,
    /// Validations.
    pub validation: String,
}

impl Queues {
    /// All of them.
    pub fn names(&self) -> [String; 3] {
        [
            self.execution.clone(),
            self.tasks.clone(),
            self.validation.clone(),
        ]
    }
}

/// The server to report to.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Its address, `host:port`.
    pub address: String,
    /// Sent as bearer token.
    pub api_key: String,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// Names the first variable that cannot be used and what it should hold.
    pub fn from_env() -> anyhow::Result<Self> {
        let max_calls = number("TEMPORAL_MAX_CONCURRENCY", DEFAULT_CALLS)?;
        if max_calls == 0 {
            return Err(refused(
                "TEMPORAL_MAX_CONCURRENCY",
                "0".to_owned(),
                "a number above 0",
            )
            .into());
        }
        let queues = Queues {
            execution: WORKFLOW_EXECUTION_RUNNER.name(),
            tasks: ZIGFLOW_EXECUTION.name(),
            validation: WORKFLOW_VALIDATION_RUNNER.name(),
        };
        different(&queues)?;
        Ok(Self {
            queues,
            max_calls,
            backend: backend()?,
            temporal: Target::from_env()?,
        })
    }
}

/// Two workers of one process on one queue would take each other's work.
fn different(queues: &Queues) -> Result<(), SettingError> {
    let Queues {
        execution,
        tasks,
        validation,
    } = queues;
    let same = [
        (tasks == execution, ZIGFLOW_EXECUTION.variable, tasks),
        (
            validation == execution || validation == tasks,
            WORKFLOW_VALIDATION_RUNNER.variable,
            validation,
        ),
    ];
    match same.into_iter().find(|(same, ..)| *same) {
        None => Ok(()),
        Some((_, variable, value)) => Err(refused(variable, value.clone(), "a queue of its own")),
    }
}

fn backend() -> Result<BackendSettings, SettingError> {
    let variable = "STIGMER_BACKEND_ENDPOINT";
    let value = text_or(variable, "localhost:7234");
    let address = address(&value).map_err(|expected| refused(variable, value, expected))?;
    let api_key = text_or("STIGMER_API_KEY", "dummy-local-key");
    // The key becomes a header; the error must not repeat it.
    if !api_key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(refused(
            "STIGMER_API_KEY",
            "(not shown)".to_owned(),
            "printable ASCII",
        ));
    }
    Ok(BackendSettings { address, api_key })
}

/// The `host:port` in a backend endpoint, which may be written with `http://` in front.
fn address(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "a host:port address without TLS";
    let address = value
        .strip_prefix("http://")
        .unwrap_or(value)
        .trim_end_matches('/');
    let url = Url::parse(&format!("http://{address}")).map_err(|_| EXPECTED)?;
    let bare =
        url.has_host() && url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if value.starts_with("https://") || !bare || url.port() == Some(443) {
        return Err(EXPECTED);
    }
    Ok(address.to_owned())
}

fn refused(variable: &'static str, value: String, expected: &'static str) -> SettingError {
    SettingError {
        variable,
        value,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_host_and_port_with_or_without_scheme() {
        assert_eq!(address("localhost:7234").unwrap(), "localhost:7234");
        assert_eq!(
            address("http://127.0.0.1:40211/").unwrap(),
            "127.0.0.1:40211"
        );
        for value in [
            "https://host:7234",
            "host:443",
            "host:port",
            "host:1/path",
            "http://",
        ] {
            assert!(address(value).is_err(), "{value}");
        }
    }

    #[test]
    fn each_queue_is_polled_by_one_worker() {
        let queues = |execution: &str, tasks: &str, validation: &str| Queues {
            execution: execution.to_owned(),
            tasks: tasks.to_owned(),
            validation: validation.to_owned(),
        };
        assert!(different(&queues("a", "b", "c")).is_ok());
        let error = different(&queues("a", "b", "b")).unwrap_err().to_string();
        assert!(
            error.contains("TEMPORAL_WORKFLOW_VALIDATION_RUNNER_TASK_QUEUE")
                && error.contains("a queue of its own"),
            "{error}"
        );
    }
}
