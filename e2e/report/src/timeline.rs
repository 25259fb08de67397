//! Phases, services, and tests over the time of the run.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::read::milliseconds;

/// The bars of the run, in milliseconds from its start: phases one after the other, each service from
/// its start to the end of the run, tests in as many lanes as ran at once, and `faults`, which are
/// `(milliseconds since 1970, text, test)`.
pub fn of(record: &Value, events: &[Value], faults: &[(f64, String, String)]) -> Value {
    let time = |value: &Value| value["time"].as_str().and_then(milliseconds);
    let Some(took_over) = record["started_at"].as_str().and_then(milliseconds) else {
        return json!({"total": 0.0, "phases": [], "services": [], "lanes": [], "faults": []});
    };
    let of_driver: HashSet<&str> = events
        .iter()
        .filter(|event| event["event"] == "phase")
        .filter_map(|event| event["name"].as_str())
        .collect();
    let (mut phases, before) = before_the_driver(record, &of_driver);
    let start = took_over - before;
    let mut services = Vec::new();
    let mut tests = Vec::new();
    let mut marks = Vec::new();
    let mut total: f64 = before;
    for event in events {
        let Some(at) = time(event).map(|at| at - start) else {
            continue;
        };
        total = total.max(at);
        let began = (at - event["ms"].as_f64().unwrap_or_default()).max(0.0);
        match event["event"].as_str() {
            Some("phase") => phases.push(json!({
                "name": event["name"], "from": began, "to": at, "text": event["summary"],
            })),
            Some("service-ready") => services.push((&event["name"], began, at)),
            Some("test-ended") => tests.push((began, at, event)),
            Some("leftover") => marks.push(json!({
                "at": at, "text": format!("left behind: {}", event["command"].as_str().unwrap_or("a process")),
            })),
            _ => {}
        }
    }
    let services = services.into_iter().map(
        |(name, from, ready)| json!({"name": name, "from": from, "ready": ready, "to": total}),
    );
    let services: Vec<Value> = services.collect();
    marks.extend(
        faults
            .iter()
            .map(|(at, text, test)| json!({"at": at - start, "text": text, "test": test})),
    );
    json!({"total": total, "phases": phases, "services": services, "lanes": lanes(tests), "faults": marks})
}

/// The phases that were over when the driver took over, and how long they took in all.
fn before_the_driver(record: &Value, of_driver: &HashSet<&str>) -> (Vec<Value>, f64) {
    let mut bars = Vec::new();
    let mut at = 0.0;
    for phase in record["phases"].as_array().into_iter().flatten() {
        let name = phase["name"].as_str().unwrap_or_default();
        if !of_driver.contains(name) {
            let to = at + phase["ms"].as_f64().unwrap_or_default();
            bars.push(json!({"name": name, "from": at, "to": to, "text": phase["summary"]}));
            at = to;
        }
    }
    (bars, at)
}

/// Puts each test into the first lane that is free when it begins.
fn lanes(mut tests: Vec<(f64, f64, &Value)>) -> Vec<Vec<Value>> {
    tests.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lanes: Vec<(f64, Vec<Value>)> = Vec::new();
    for (from, to, event) in tests {
        let bar =
            json!({"name": event["name"], "from": from, "to": to, "verdict": event["verdict"]});
        // A test's end is written a moment after the next one has begun.
        match lanes.iter_mut().find(|(free, _)| *free <= from + 25.0) {
            Some((free, lane)) => {
                *free = to;
                lane.push(bar);
            }
            None => lanes.push((to, vec![bar])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_ran_at_once_lie_in_lanes_of_their_own() {
        let record = json!({"started_at": "2026-01-01T00:00:00Z"});
        let ended = |name: &str, second: u32, ms: u32| json!({"time": format!("2026-01-01T00:00:{second:02}Z"), "event": "test-ended", "name": name, "ms": ms});
        let events = [
            ended("a", 2, 2000),
            ended("b", 3, 2000),
            ended("c", 4, 1000),
        ];
        let drawn = of(&record, &events, &[]);
        let names: Vec<Vec<&str>> = drawn["lanes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lane| {
                lane.as_array()
                    .unwrap()
                    .iter()
                    .map(|bar| bar["name"].as_str().unwrap())
                    .collect()
            })
            .collect();
        assert_eq!(names, [vec!["a", "c"], vec!["b"]]);
        assert_eq!(drawn["total"], 4000.0);
    }
    #[test]
    fn what_was_before_the_driver_comes_first_and_faults_lie_at_their_time() {
        let phase = |name: &str| json!({"name": name, "ms": 500, "summary": "s"});
        let record =
            json!({"started_at": "2026-01-01T00:00:01Z", "phases": [phase("plan"), phase("up")]});
        let up = json!({"time": "2026-01-01T00:00:02Z", "event": "phase", "name": "up", "ms": 500});
        let second = 1_767_225_600_000.0 + 1_000.0;
        let fault = (second + 250.0, "kill -9".to_owned(), "a".to_owned());
        let drawn = of(&record, &[up], &[fault]);
        let bars: Vec<(f64, f64)> = drawn["phases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bar| (bar["from"].as_f64().unwrap(), bar["to"].as_f64().unwrap()))
            .collect();
        assert_eq!(bars, [(0.0, 500.0), (1000.0, 1500.0)]);
        assert_eq!(drawn["faults"][0]["at"], 750.0);
    }
}
