//! What a run measured by the way: how fast environments start and stop, and what an agent
//! execution costs beyond its model call.

use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use stigmer_e2e::harness::TestRecord;
use stigmer_e2e_plan::read_json;

/// A distribution, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// The middle one.
    pub median_ms: u64,
    /// The one that 95 % do not exceed.
    pub p95_ms: u64,
}

/// What the tests of a run measured; a part is absent when nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// From the namespace of a private environment, whole with server and both runners, to a live
    /// poller on every queue.
    pub environment_start: Option<Spread>,
    /// A bare workflow with one activity, through the same workers as an agent run: the anchor for what
    /// that costs.
    pub bare_workflow: Option<Spread>,
    /// From the polite signal to the last exit.
    pub environment_stop: Option<Spread>,
    /// From the creation of a completed agent execution to its end, minus its model call.
    pub agent_overhead: Option<Spread>,
}

/// How many parts a whole environment has.
const WHOLE: usize = 3;

impl Measured {
    /// Reads the folders of the tests in `tests`; what cannot be read was not measured.
    pub fn of(tests: &Utf8Path) -> Self {
        let (mut starts, mut bare) = (Vec::new(), Vec::new());
        let (mut stops, mut overheads) = (Vec::new(), Vec::new());
        for folder in tests.read_dir_utf8().into_iter().flatten().flatten() {
            let record = read_json::<TestRecord>(&folder.path().join("test.json"));
            for environment in record.into_iter().flat_map(|record| record.environments) {
                if environment.parts.len() == WHOLE {
                    starts.push(environment.start_ms);
                    bare.extend(environment.bare_workflow_ms);
                }
                stops.extend(environment.stop_ms);
                let records = read_json::<Value>(&environment.directory.join("records.json"));
                overheads.extend(records.iter().flat_map(executions).filter_map(overhead));
            }
        }
        Self {
            environment_start: spread(starts),
            bare_workflow: spread(bare),
            environment_stop: spread(stops),
            agent_overhead: spread(overheads),
        }
    }

    /// One line for people, or nothing.
    pub fn line(&self) -> Option<String> {
        let parts = [
            ("environment start", self.environment_start),
            ("stop", self.environment_stop),
            ("agent run beyond its model call", self.agent_overhead),
            ("bare workflow with one activity", self.bare_workflow),
        ];
        let shown: Vec<_> = parts
            .into_iter()
            .filter_map(|(name, spread)| Some((name, spread?)))
            .map(|(name, s)| {
                format!(
                    "{name} {} ms (p95 {}, n {})",
                    s.median_ms, s.p95_ms, s.count
                )
            })
            .collect();
        (!shown.is_empty()).then(|| format!("median {}", shown.join(" · ")))
    }
}

fn executions(records: &Value) -> impl Iterator<Item = &Value> {
    records["agent_execution"].as_array().into_iter().flatten()
}

/// Milliseconds that a completed execution took beyond its model call; nothing when it is not
/// completed or does not say.
fn overhead(execution: &Value) -> Option<u64> {
    let status = &execution["status"];
    if status["phase"] != "EXECUTION_COMPLETED" {
        return None;
    }
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let created = time(&status["audit"]["specAudit"]["createdAt"])?;
    let took = time(&status["completedAt"])?.as_millisecond() - created.as_millisecond();
    let messages = status["messages"].as_array()?;
    let calls = messages
        .iter()
        .filter_map(|message| message["metadata"]["ms_total"].as_f64());
    u64::try_from(took - calls.sum::<f64>().round() as i64).ok()
}

fn spread(mut values: Vec<u64>) -> Option<Spread> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    Some(Spread {
        count: values.len(),
        median_ms: values[values.len() / 2],
        p95_ms: values[last.min(values.len() * 95 / 100)],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn execution(phase: &str) -> Value {
        json!({"status": {
            "phase": phase,
            "completedAt": "2026-01-01T00:00:01.100000Z",
            "audit": {"specAudit": {"createdAt": "2026-01-01T00:00:00.000Z"}},
            "messages": [{"type": "MESSAGE_HUMAN"}, {"metadata": {"ms_total": 1030}}],
        }})
    }

    #[test]
    fn the_overhead_is_what_is_left_without_the_model_call() {
        assert_eq!(overhead(&execution("EXECUTION_COMPLETED")), Some(70));
        assert_eq!(overhead(&execution("EXECUTION_FAILED")), None);
    }

    #[test]
    fn a_spread_is_of_sorted_values_and_nothing_has_none() {
        let spread = spread(vec![30, 10, 20]);
        assert_eq!(
            spread,
            Some(Spread {
                count: 3,
                median_ms: 20,
                p95_ms: 30
            })
        );
        assert_eq!(super::spread(Vec::new()), None);
    }

    #[test]
    fn only_what_was_measured_is_told() {
        assert_eq!(Measured::default().line(), None);
        let measured = Measured {
            environment_stop: spread(vec![31]),
            ..Measured::default()
        };
        assert_eq!(
            measured.line().as_deref(),
            Some("median stop 31 ms (p95 31, n 1)")
        );
    }
}
