//! The run as a trace in the format of Chrome and Perfetto, for who wants to look closer at its times:
//! phases, services, and tests with their steps, each on a track.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::{ReportError, read, run::Run, story};

/// Its name inside a results folder.
pub const FILE: &str = "trace.json";

/// The processes that a viewer shows as groups of tracks.
const PIPELINE: u32 = 1;
const TESTS: u32 = 2;

/// The trace of the run in `results`; times are in microseconds from its start.
///
/// # Errors
///
/// When the folder has no `run.json`.
pub fn trace(results: &Utf8Path) -> Result<Value, ReportError> {
    let run = Run::read(results)?;
    let drawn = run.timeline();
    let mut events = vec![name("process_name", PIPELINE, 0, "pipeline")];
    events.push(name("process_name", TESTS, 0, "tests"));
    events.push(name("thread_name", PIPELINE, 0, "phases"));
    for phase in list(&drawn["phases"]) {
        let told = json!({"summary": phase["text"]});
        events.push(span(PIPELINE, 0, &phase["name"], ends(phase, "from"), told));
    }
    for (track, service) in (1..).zip(list(&drawn["services"])) {
        let called = service["name"].as_str().unwrap_or_default();
        events.push(name("thread_name", PIPELINE, track, called));
        let starts = (number(service, "from"), number(service, "ready"));
        events.push(span(PIPELINE, track, &json!("starts"), starts, json!({})));
        let serves = ends(service, "ready");
        events.push(span(PIPELINE, track, &json!("serves"), serves, json!({})));
    }
    for (track, lane) in (0..).zip(list(&drawn["lanes"])) {
        let called = format!("slot {}", track + 1);
        events.push(name("thread_name", TESTS, track, &called));
        for test in list(lane) {
            let (from, to) = ends(test, "from");
            let told = json!({"verdict": test["verdict"]});
            events.push(span(TESTS, track, &test["name"], (from, to), told));
            let steps = steps(results, test);
            // A step lasts until the next one begins, the last one until the test ends.
            for (place, (text, at)) in steps.iter().enumerate() {
                let next = steps.get(place + 1).map_or(to, |(_, next)| from + next);
                let within = ((from + at).min(to), next.min(to));
                events.push(span(TESTS, track, text, within, json!({})));
            }
        }
    }
    for fault in list(&drawn["faults"]) {
        events.push(json!({
            "ph": "i", "s": "g", "pid": TESTS, "tid": 0, "name": fault["text"],
            "ts": microseconds(number(fault, "at")), "args": {"test": fault["test"]},
        }));
    }
    Ok(json!({
        "traceEvents": events, "displayTimeUnit": "ms", "otherData": {"run_id": run.id(), "verdict": run.verdict()},
    }))
}

/// The sentences of a test's story, and when each was begun, in milliseconds from its start.
fn steps(results: &Utf8Path, test: &Value) -> Vec<(Value, f64)> {
    let path = test["name"].as_str().unwrap_or_default();
    let record = read::json(&story::folder_of(results, path).join("test.json"));
    let record = record.unwrap_or_default();
    let steps = list(&record["steps"]);
    steps
        .map(|step| (step["text"].clone(), number(step, "at_ms")))
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_default()
}

fn ends(bar: &Value, from: &str) -> (f64, f64) {
    (number(bar, from), number(bar, "to"))
}

fn microseconds(ms: f64) -> i64 {
    // A run is far from the 292,000 years that fit.
    (ms * 1000.0).round() as i64
}

fn name(what: &str, process: u32, track: u32, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": process, "tid": track, "args": {"name": name}})
}

fn span(process: u32, track: u32, name: &Value, (from, to): (f64, f64), told: Value) -> Value {
    json!({
        "ph": "X", "pid": process, "tid": track, "name": name, "args": told,
        "ts": microseconds(from), "dur": microseconds(to) - microseconds(from),
    })
}
