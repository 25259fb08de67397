//! `down` and `status`: what `up` left running in a checkout.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::Result;
use camino::Utf8Path;
use rustix::process::Signal;
use serde_json::{Value, json};
use stigmer_e2e::{
    session::Session,
    supervise::{Identity, LeasedProcess, leased, leftovers, reconcile},
};
use stigmer_e2e_plan::{ExitCode, Output, PhaseName, columns, count, failure, read_json};
use tokio::time::sleep;

use super::{leases, shared::finished};

/// How long the keeper may take to bring its services down. Its own limits are shorter.
const DOWN_LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(5);

/// The stack that is up in the checkout `root`, if there is one.
pub fn attached(root: &Utf8Path) -> Option<Session> {
    Session::of(&Session::attached_file(root)).ok()
}

/// The stack that is up in the checkout `root`.
///
/// # Errors
///
/// [`ExitCode::ServiceFailed`] when there is none.
pub fn require_attached(root: &Utf8Path) -> Result<Session> {
    attached(root).ok_or_else(|| {
        failure(
            ExitCode::ServiceFailed,
            "nothing is up",
            "start a stack with `cargo xtask up`",
        )
    })
}

/// Ends what `up` started and proves that nothing is left.
pub async fn down(root: &Utf8Path, output: Output) -> Result<ExitCode> {
    let begin = Instant::now();
    let Some(session) = attached(root) else {
        let reconciled = reconcile(&leases(root))?;
        output.object(&json!({"event": "down", "was_up": false, "cleaned_up": reconciled.runs}));
        let extra = match reconciled.runs.len() {
            0 => String::new(),
            runs => format!(
                "; cleaned up after {} ({} killed)",
                count(runs, "dead run"),
                reconciled.killed
            ),
        };
        output.line(&format!("nothing is up{extra}"));
        return Ok(ExitCode::Success);
    };
    let Some(owner) = session.owner else {
        let cause = "this system has no /proc, so the keeper cannot be told from other processes";
        let fix = format!(
            "end the process of `stigmer-e2e keep` for run {} by hand",
            session.run_id
        );
        return Err(failure(ExitCode::ServiceFailed, cause, fix));
    };
    end(owner).await;
    // Finds work only if the keeper had to be killed.
    reconcile(&leases(root))?;
    let found = leftovers::find_lasting(&HashSet::from([session.run_id.clone()])).await;
    if let Ok(found) = &found {
        leftovers::kill(found);
    }
    // The keeper wrote down how it went; without that the services' own end is all there is to say.
    let record: Value = read_json(&session.results.join("run.json")).unwrap_or_default();
    let code = record["exit_code"]
        .as_u64()
        .and_then(|code| i32::try_from(code).ok());
    let left = found.map_or(0, |found| found.len())
        + record["leftovers"].as_u64().unwrap_or_default() as usize;
    let summary = format!(
        "{} stopped · leftovers: {left}",
        count(session.services.len(), "service")
    );
    output.phase(&finished(PhaseName::Down, begin, summary));
    Ok(match code {
        _ if left > 0 => ExitCode::Leftovers,
        None => ExitCode::Success,
        code => ExitCode::of(code),
    })
}

/// Asks, waits, kills.
async fn end(owner: Identity) {
    let begin = Instant::now();
    owner.signal(Signal::TERM);
    while owner.is_alive() {
        if begin.elapsed() > DOWN_LIMIT {
            owner.signal(Signal::KILL);
        }
        sleep(LOOK).await;
    }
}

/// Shows what is up.
pub fn status(root: &Utf8Path, output: Output) -> Result<ExitCode> {
    let Some(session) = attached(root) else {
        output.object(&json!({"event": "status", "up": false}));
        output.line("nothing is up; start a stack with `cargo xtask up`");
        return Ok(ExitCode::Success);
    };
    let leased = leased(&leases(root), &session.run_id);
    let state = |name: &str| {
        if is_alive(&leased, name) {
            "running"
        } else {
            "dead"
        }
    };
    let rows = session.services.iter().map(|service| {
        let address = service.address.clone().unwrap_or_default();
        vec![
            service.name.clone(),
            state(&service.name).to_owned(),
            service.pid.to_string(),
            address,
            service.log.to_string(),
        ]
    });
    let head = ["service", "state", "pid", "address", "log"]
        .map(str::to_owned)
        .to_vec();
    output.line(&format!(
        "run {} · results {}",
        session.run_id, session.results
    ));
    output.line(columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()).trim_end());
    let services = session
        .services
        .iter()
        .map(|service| json!({"service": service, "state": state(&service.name)}));
    output.object(&json!({"event": "status", "up": true, "run_id": session.run_id, "services": services.collect::<Vec<_>>()}));
    Ok(ExitCode::Success)
}

fn is_alive(leased: &[LeasedProcess], name: &str) -> bool {
    leased
        .iter()
        .any(|process| process.name == name && process.identity.is_alive())
}
