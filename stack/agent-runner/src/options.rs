//! How one execution is to be run, where it says so.

use std::time::Duration;

use stigmer_api::{
    Resource,
    agent_execution::AgentExecution,
    annotation::{EXECUTION_TEMPERATURE, EXECUTION_TIMEOUT_SECONDS},
};

/// What an execution asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The model; the runner's own when unset.
    pub model: Option<String>,
    /// How freely the model chooses its words; its server decides when unset.
    pub temperature: Option<f64>,
    /// How long the turn may take, where that is less than the activity has.
    pub timeout: Option<Duration>,
}

/// An annotation that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the execution's annotation {name} is {value:?}; it has to be {expected}")]
pub struct OptionError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl Options {
    /// What `execution` asks for.
    ///
    /// # Errors
    ///
    /// Names the annotation that cannot be used.
    pub fn of(execution: &AgentExecution) -> Result<Self, OptionError> {
        let config = execution
            .spec
            .as_ref()
            .and_then(|s| s.execution_config.as_ref());
        let annotation = |name: &'static str| {
            let metadata = execution.metadata()?;
            metadata.annotations.get(name).map(String::as_str)
        };
        Ok(Self {
            model: config
                .map(|config| config.model_name.clone())
                .filter(|model| !model.is_empty()),
            temperature: number(
                annotation(EXECUTION_TEMPERATURE),
                EXECUTION_TEMPERATURE,
                "a number from 0 to 2",
                |temperature| (0.0..=2.0).contains(&temperature),
            )?,
            timeout: number(
                annotation(EXECUTION_TIMEOUT_SECONDS),
                EXECUTION_TIMEOUT_SECONDS,
                "a number of seconds above 0",
                |seconds| seconds > 0.0 && seconds <= 1e9,
            )?
            .map(Duration::from_secs_f64),
        })
    }
}

fn number(
    text: Option<&str>,
    name: &'static str,
    expected: &'static str,
    fits: impl Fn(f64) -> bool,
) -> Result<Option<f64>, OptionError> {
    let Some(text) = text else { return Ok(None) };
    match text.trim().parse::<f64>() {
        Ok(number) if fits(number) => Ok(Some(number)),
        _ => Err(OptionError {
            name,
            value: text.to_owned(),
            expected,
        }),
    }
}

/// An execution with these annotations.
#[cfg(test)]
fn annotated(annotations: &[(&str, &str)]) -> AgentExecution {
    let annotations = annotations
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let mut execution = AgentExecution::envelope();
    execution.metadata_mut().annotations = annotations.collect();
    execution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_that_says_nothing_asks_for_nothing() {
        assert_eq!(
            Options::of(&AgentExecution::default()),
            Ok(Options::default())
        );
    }

    #[test]
    fn annotations_are_read_and_zero_is_a_temperature() {
        let execution = annotated(&[
            (EXECUTION_TEMPERATURE, "0.0"),
            (EXECUTION_TIMEOUT_SECONDS, "15"),
        ]);
        let options = Options::of(&execution).unwrap();
        assert_eq!(options.temperature, Some(0.0));
        assert_eq!(options.timeout, Some(Duration::from_secs(15)));
    }

    #[test]
    fn annotations_that_cannot_be_used_are_named() {
        for (name, value) in [
            (EXECUTION_TEMPERATURE, "warm"),
            (EXECUTION_TEMPERATURE, "-1"),
            (EXECUTION_TEMPERATURE, "NaN"),
            (EXECUTION_TIMEOUT_SECONDS, "0"),
            (EXECUTION_TIMEOUT_SECONDS, "inf"),
        ] {
            let error = Options::of(&annotated(&[(name, value)]))
                .unwrap_err()
                .to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
