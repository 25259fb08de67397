//! After the story: evidence, a graceful stop, and a search for what must not be there.

use std::{
    fs, net::TcpStream, os::unix::process::ExitStatusExt, process::ExitStatus, time::Instant,
};

use camino::Utf8Path;
use serde_json::json;

use super::{
    Environment, GivenServer, Hub, Test,
    budget::{STOP, STOP_TARGET},
    daemon,
    environment::{Part, settings::TEST_VARIABLE},
    evidence, invariants, replay, sanity,
    shared_logs::TEMPORAL,
    temporal::namespace_prefix,
};
use crate::{
    supervise::{
        Signal,
        leftovers::{self, Leftover},
    },
    tripwire,
};

const SIGTERM: i32 = Signal::TERM.as_raw();

/// Ends every environment of `test`. Each returned line is something that must not be, and fails
/// the test.
pub(super) async fn tear_down(test: &Test, failed: bool) -> Vec<String> {
    let environments = test.take_environments();
    let mut findings = Vec::new();
    let mut workflows = Vec::new();
    for environment in &environments {
        let Some(temporal) = environment.temporal_if_any() else {
            continue;
        };
        let histories = evidence::histories(test, temporal, failed).await;
        evidence::keep_histories(test, temporal, &histories, failed);
        if test.is_inspected() {
            let start = Instant::now();
            findings.extend(replay::check(environment, &histories).await);
            let ms = whole_ms(start);
            test.fact("replay", json!({"workflows": histories.len(), "ms": ms}));
        }
        workflows.extend(histories.into_iter().map(|history| history.workflow_id));
    }
    let stopping = environments
        .iter()
        .map(|environment| stop(test, environment, !failed && test.is_inspected()));
    findings.extend(
        futures_util::future::join_all(stopping)
            .await
            .into_iter()
            .flatten(),
    );
    let slice = keep_slices(test, workflows);
    findings.extend(invariants::findings(test, &environments, &slice));
    for environment in &environments {
        evidence::keep_records(environment);
        findings.extend(complaints(test, environment));
        // Nobody is to open what was encrypted with it any more.
        let _ = fs::remove_file(environment.payload_key());
        if failed {
            evidence::keep_log_tails(test, environment);
        } else {
            remove_empty_folders(environment.folder());
        }
    }
    let given = test.take_given_servers();
    findings.extend(given.iter().flat_map(GivenServer::complaints));
    // The HOME of commands outside of any environment.
    let _ = fs::remove_dir(test.folder().join("home"));
    if failed {
        daemon::keep_log_tails(test);
    }
    findings.extend(leftovers_of(test));
    findings.extend(test.leaked_secrets());
    findings.extend(trips_of(test));
    findings
}

/// Keeps what the shared services wrote about `test`; returns what Temporal did.
fn keep_slices(test: &Test, mut workflows: Vec<String>) -> Vec<String> {
    // Every namespace of the test begins with this, and Temporal writes either that or the workflow.
    workflows.push(namespace_prefix(test.name()));
    let slice = test.shared_logs().slice(TEMPORAL, &workflows);
    evidence::keep_slice(test, TEMPORAL, &slice);
    // The model names nobody, and serves one test at a time.
    if test.name().contains("real_model") {
        let model = crate::services::LlamaCpp::NAME;
        evidence::keep_slice(test, model, &test.shared_logs().slice(model, &[]));
    }
    slice
}

/// Stops the parts of `environment`, the runners first: they report to the server what they give up.
/// In between, if it is `inspected`, the server has to survive a crash.
async fn stop(test: &Test, environment: &Environment, inspected: bool) -> Vec<String> {
    let restarts = environment.parts().map(Part::restarts).sum::<usize>();
    test.update(|record| record.counters.restarts += restarts);
    let start = Instant::now();
    let runners = environment.runners().map(|part| stop_part(test, part));
    let mut findings = futures_util::future::join_all(runners).await.concat();
    let paused = Instant::now();
    if inspected && environment.survives_restarts().await {
        findings.extend(sanity::check(environment).await);
        test.fact("sanity restart", json!({"ms": whole_ms(paused)}));
    }
    let start = start + paused.elapsed();
    findings.extend(stop_part(test, environment.server()).await);
    if let Some(own) = environment.own_model_if_any()
        && let Err(error) = own.kill9().await
    {
        findings.push(error.to_string());
    }
    if let Some(own) = environment.own_temporal_if_any()
        && let Err(error) = own.kill9().await
    {
        findings.push(error.to_string());
    }
    let took = start.elapsed();
    test.spend(STOP, "the environment stopped", took);
    let stop_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    test.update(|record| {
        let own = record
            .environments
            .iter_mut()
            .find(|e| e.directory == environment.folder());
        if let Some(record) = own.filter(|e| e.stop_ms.is_none()) {
            record.stop_ms = Some(stop_ms);
        }
    });
    if took > STOP_TARGET {
        println!(
            "note: the environment took {took:.1?} to stop, more than the target of {STOP_TARGET:?}"
        );
    }
    findings
}

async fn stop_part(test: &Test, part: &Part) -> Vec<String> {
    let name = part.name();
    let mut findings = Vec::new();
    match part.stop().await {
        Err(error) => findings.push(error.to_string()),
        Ok(None) => {}
        Ok(Some(stopped)) if stopped.forced => {
            test.update(|record| record.counters.forced_kills += 1);
            findings.push(format!(
                "{name} did not end within {:?} of SIGTERM and was killed",
                STOP.limit
            ));
        }
        Ok(Some(stopped)) => match stopped.status {
            // It was still starting, and had not got round to listening for signals.
            Some(status) if part.was_ready().is_none() && is_by_sigterm(status) => {}
            Some(status) if !status.success() => {
                findings.push(format!("{name} ended with {status} instead of code 0"))
            }
            _ => {}
        },
    }
    // The address of a container goes with it, and nobody answers that it is gone.
    if part.container().is_none()
        && let Some(address) = part.was_ready().and_then(|ready| ready.address)
        && TcpStream::connect(&address).is_ok()
    {
        findings.push(format!(
            "{name} is stopped, but something still listens on {address}"
        ));
    }
    findings
}

fn whole_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether SIGTERM ended a part; a container's client says that of it by an exit code.
fn is_by_sigterm(status: ExitStatus) -> bool {
    status.signal() == Some(SIGTERM) || status.code() == Some(128 + SIGTERM)
}

/// What the edges of `environment` complain about.
fn complaints(test: &Test, environment: &Environment) -> Vec<String> {
    let llm = environment.llm_edge();
    let model = Some(llm.complaints());
    let hub = environment.hub_if_any().map(Hub::complaints);
    let mut findings = Vec::new();
    for (edge, complaints) in [(llm.name(), model), ("the hub", hub)] {
        let (unexpected, unused) = complaints.unwrap_or_default();
        test.update(|record| {
            record.counters.unexpected_requests += unexpected.len();
            record.counters.unused_expectations += unused.len();
        });
        findings.extend(
            unexpected
                .into_iter()
                .map(|what| format!("unexpected request to {edge}: {what}")),
        );
        findings.extend(unused);
    }
    for (name, link) in environment.links() {
        let Some(calls) = link.calls_if_any() else {
            continue;
        };
        test.fact(name, json!(calls.counts()));
        let unused = calls.unused();
        test.update(|record| record.counters.unused_expectations += unused.len());
        findings.extend(unused);
    }
    findings
}

/// Processes that carry the mark of this test are found, reported, and killed.
fn leftovers_of(test: &Test) -> Vec<String> {
    let runs = std::collections::HashSet::from([test.session().run_id.clone()]);
    let found = match leftovers::find(&runs) {
        Ok(found) => found,
        Err(error) => return vec![format!("cannot look for leftovers: {error}")],
    };
    let mark = format!("{TEST_VARIABLE}={}", test.name());
    let own = found
        .into_iter()
        .filter(|leftover| carries(leftover, &mark))
        .collect::<Vec<_>>();
    leftovers::kill(&own);
    test.update(|record| record.counters.leftovers += own.len());
    own.into_iter()
        .map(|l| format!("process {} was left behind: {}", l.identity.pid, l.command))
        .collect()
}

/// Which ports that are not the run's were used by `test`, or by what it started, and whether the HOME
/// that nobody may use was used meanwhile.
fn trips_of(test: &Test) -> Vec<String> {
    let results = &test.session().results;
    let trips = tripwire::trips(results).into_iter();
    let home = match tripwire::guard_again(results) {
        Ok(aside) => aside.map(|aside| {
            format!("~/.stigmer of the HOME that nobody may use was changed meanwhile: {aside}")
        }),
        Err(error) => Some(format!("cannot look after the HOME of the run: {error}")),
    };
    trips
        .filter(|trip| trip.is_of_test(test.name()))
        .map(|trip| trip.to_string())
        .chain(home)
        .collect()
}

fn carries(leftover: &Leftover, mark: &str) -> bool {
    let environment =
        fs::read(format!("/proc/{}/environ", leftover.identity.pid)).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|pair| pair == mark.as_bytes())
}

/// Folders that nothing was written to say nothing.
fn remove_empty_folders(folder: &Utf8Path) {
    for sub in [
        "home/.stigmer",
        "home",
        "work",
        "data/storage/skills",
        "data/storage",
    ] {
        // Only an empty folder can be removed like this, and only that is wanted.
        let _ = fs::remove_dir(folder.join(sub));
    }
}
