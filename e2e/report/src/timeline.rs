//! Phases, services, and tests over the time of the run.

use serde_json::{Value, json};

use crate::read::milliseconds;

/// The bars of the run, in milliseconds from its start: phases one after the other, each service from
/// the time it was ready, tests in as many lanes as ran at once.
pub fn of(record: &Value, events: &[Value]) -> Value {
    let time = |value: &Value| value["time"].as_str().and_then(milliseconds);
    let Some(start) = record["started_at"].as_str().and_then(milliseconds) else {
        return json!({"total": 0.0, "phases": [], "services": [], "lanes": []});
    };
    let mut phases = Vec::new();
    let mut services = Vec::new();
    let mut tests = Vec::new();
    let mut total: f64 = 0.0;
    for event in events {
        let Some(at) = time(event).map(|at| at - start) else {
            continue;
        };
        total = total.max(at);
        let began = (at - event["ms"].as_f64().unwrap_or_default()).max(0.0);
        let bar =
            |name: &Value| json!({"name": name, "from": began, "to": at, "text": event["summary"]});
        match event["event"].as_str() {
            Some("phase") => phases.push(bar(&event["name"])),
            Some("service-ready") => services.push(bar(&event["name"])),
            Some("test-ended") => tests.push((began, at, event)),
            _ => {}
        }
    }
    json!({"total": total, "phases": phases, "services": services, "lanes": lanes(tests)})
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
        let drawn = of(&record, &events);
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
}
