//! Processor time of the processes that serve an execution.

use std::fs;

use serde_json::{Value, json};
use stigmer_e2e::harness::{Broken, Environment};

/// Clock ticks per second in `/proc/<pid>/stat`, on every Linux.
const TICKS: f64 = 100.0;

/// The processes whose time is counted, with their names.
pub struct Costs(Vec<(String, u32)>);

impl Costs {
    /// Those of `env`, and the Temporal that it shares with the run.
    pub fn of(env: &Environment) -> Result<Self, Broken> {
        let parts = env.parts().map(|part| {
            let ready = part.ready();
            (ready.component, ready.pid)
        });
        let mut processes: Vec<_> = parts.collect();
        processes.push(("temporal".to_owned(), temporal(env)?));
        Ok(Self(processes))
    }

    /// The time each of them has used so far.
    pub fn now(&self) -> Result<Vec<f64>, Broken> {
        self.0.iter().map(|(_, pid)| milliseconds(*pid)).collect()
    }

    /// The milliseconds that each of them has used since `before` for each of `count` executions.
    pub fn each(&self, before: &[f64], count: usize) -> Result<Value, Broken> {
        let spent = self.now()?.into_iter().zip(before);
        let spent =
            spent.map(|(now, before)| ((now - before) / count as f64 * 10.0).round() / 10.0);
        let named = self.0.iter().map(|(name, _)| name.clone());
        Ok(json!(serde_json::Map::from_iter(
            named.zip(spent.map(Value::from))
        )))
    }
}

fn temporal(env: &Environment) -> Result<u32, Broken> {
    let mut services = env.test().session().services.iter();
    let temporal = services.find(|service| service.name == "temporal");
    temporal
        .map(|service| service.pid)
        .ok_or_else(|| Broken("this run has no Temporal of its own".to_owned()))
}

fn milliseconds(pid: u32) -> Result<f64, Broken> {
    let file = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&file).map_err(|error| Broken(format!("{file}: {error}")))?;
    // The name, in parentheses, may hold anything.
    let numbers = stat.rsplit(')').next().unwrap_or_default();
    let times = numbers.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS * 1000.0)
}
