//! The process behind `up`: owns the services until it is told to end.

use std::{
    fs::{File, TryLockError},
    time::Instant,
};

use anyhow::{Context, Result};
use camino::Utf8Path;
use stigmer_e2e::{session::Session, supervise::ServiceError};
use stigmer_e2e_plan::{ExitCode, Output, PhaseName, Plan, exit_code_of, failure, write_json};

use super::{
    doctor,
    interrupt::Interrupt,
    programs::clean_up,
    shared::{Shared, breakdown, finished, report},
    verdict::code_of_service,
};
use crate::results::{Event, Results, RunVerdict, now};

/// Brings the services of `plan` up, leaves their session in the checkout, and keeps them until
/// SIGTERM, or until one of them dies.
pub async fn keep(plan: Plan) -> Result<ExitCode> {
    // A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
    rustix::process::setsid()
        .context("the keeper must not be started as a process group leader; `up` starts it")?;
    let mut interrupt = Interrupt::listen(&plan.run_id, plan.results.clone())
        .context("failed to listen for signals")?;
    let _lock = lock(&plan.root)?;
    clean_up(&plan.root)?;
    doctor::check_programs(&plan)?;
    doctor::check_faults(&plan)?;
    doctor::check_given_model(&plan).await?;
    let mut results = Results::create(&plan)?;
    let mut shared = Shared::of(&plan, None)?;
    let ended = until_asked(&plan, &mut results, &mut shared, &mut interrupt).await;
    let down = shared.down(&plan).await?;
    results.event(&Event::new("phase", &down.record))?;
    let leftovers = down.leftovers.map(|found| found.len());
    let (verdict, code) = match &ended {
        Ok(Some(error)) => {
            report(Output::new(plan.json), error);
            results.run.cause = Some(error.headline());
            (RunVerdict::ServiceFailed, code_of_service(error))
        }
        Ok(None) if leftovers.is_some_and(|count| count > 0) => {
            (RunVerdict::Leftovers, ExitCode::Leftovers)
        }
        Ok(None) if down.forced_kills > 0 => (RunVerdict::ServiceFailed, ExitCode::ServiceFailed),
        Ok(None) => (RunVerdict::Stopped, ExitCode::Success),
        Err(error) => (RunVerdict::Broken, exit_code_of(error)),
    };
    results.run.phases.push(down.record);
    (
        results.run.verdict,
        results.run.exit_code,
        results.run.ended_at,
    ) = (verdict, Some(code as u8), Some(now()));
    (results.run.forced_kills, results.run.leftovers) = (down.forced_kills, leftovers);
    results.write_run()?;
    ended.map(|_| code)
}

/// Brings everything up and waits; returns the service that failed, nothing when a signal asked to end.
async fn until_asked(
    plan: &Plan,
    results: &mut Results,
    shared: &mut Shared,
    interrupt: &mut Interrupt,
) -> Result<Option<ServiceError>> {
    let begin = Instant::now();
    let started = tokio::select! {
        started = shared.up() => started,
        () = interrupt.asked() => return Ok(None),
    };
    match started {
        Ok(started) => results.run.services = started,
        Err(error) => return Ok(Some(error)),
    }
    let record = finished(PhaseName::Up, begin, breakdown(&results.run.services));
    results.event(&Event::new("phase", &record))?;
    results.run.phases.push(record);
    results.write_run()?;
    let session = shared.session(plan);
    results.write_file("session.json", &serde_json::to_vec_pretty(&session)?)?;
    // Last, because it tells `up` that everything is ready.
    write_json(&Session::attached_file(&plan.root), &session)?;
    tokio::select! {
        error = shared.supervisor.failed() => Ok(Some(error)),
        () = interrupt.asked() => Ok(None),
    }
}

/// One keeper per checkout: the lock is held as long as the file is open.
fn lock(root: &Utf8Path) -> Result<File> {
    let path = root.join("target/e2e/up.lock");
    std::fs::create_dir_all(root.join("target/e2e"))
        .with_context(|| format!("failed to create {root}/target/e2e"))?;
    let file = File::create(&path).with_context(|| format!("failed to open {path}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(already_up("another `up` is under way")),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {path}"))
        }
    }
}

/// The refusal of a second stack.
pub fn already_up(cause: &str) -> anyhow::Error {
    failure(
        ExitCode::Usage,
        cause,
        "use it (`cargo xtask status` shows it), or end it first with `cargo xtask down`",
    )
}
