//! The tripwires of a run: set before the first service, looked at when everything has ended.

use anyhow::{Context, Result};
use serde_json::json;
use stigmer_e2e::tripwire::{Ports, Trip, is_untouched, trips};
use stigmer_e2e_plan::{ExitCode, Plan, failure};

use crate::results::{Event, Results, TestOutcome};

/// Listens on the ports that are not the run's, and writes down which of them others have.
pub fn set(plan: &Plan, results: &mut Results) -> Result<()> {
    let ports = Ports::watch(&plan.forbidden_ports, results.path());
    let ports = ports.context("failed to set the tripwires")?;
    results.event(&Event::new(
        "tripwires-set",
        json!({"ports": ports.watched}),
    ))
}

/// Refuses what touched one without making its test fail.
pub fn check(plan: &Plan, outcomes: &[TestOutcome]) -> Result<()> {
    let told = |trip: &Trip| {
        let mut red = outcomes.iter().filter(|outcome| outcome.is_red());
        red.any(|outcome| trip.is_of_test(&outcome.name))
    };
    let trips = trips(&plan.results);
    let mut own = trips.iter().filter(|trip| trip.is_of_run(&plan.run_id));
    if let Some(trip) = own.find(|trip| !told(trip)) {
        let fix = "give it the address of the run's own service";
        return Err(failure(ExitCode::TestsFailed, trip.to_string(), fix));
    }
    if !is_untouched(&plan.results) {
        let what = "something of the run changed ~/.stigmer of the HOME that nobody may use";
        let fix = "start every process with a HOME of its own";
        return Err(failure(ExitCode::TestsFailed, what, fix));
    }
    Ok(())
}
