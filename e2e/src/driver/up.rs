//! `up`: starts a keeper and returns once its services are ready.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use camino::Utf8Path;
use rustix::process::Signal;
use stigmer_e2e::{session::Session, supervise::Identity};
use stigmer_e2e_plan::{ExitCode, Output, PhaseName, Plan, count, write_atomically};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use super::{attached::attached, keeper::already_up, shared::finished};

/// How often to look whether the keeper is ready; a file shows it.
const LOOK: Duration = Duration::from_millis(10);

/// Starts the services of `plan` (read from `file`) in the background and shows how to use them.
pub async fn up(plan: &Plan, file: &Utf8Path) -> Result<ExitCode> {
    let output = Output::new(plan.json);
    if let Some(session) = attached(&plan.root) {
        return Err(already_up(&format!(
            "a stack is up already (run {})",
            session.run_id
        )));
    }
    let log = plan.results.join("keeper.log");
    write_atomically(&log, b"")?;
    let mut keeper = start(file, &log)?;
    let identity = Identity::of(keeper.id());
    let begin = Instant::now();
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    loop {
        if let Some(session) = attached(&plan.root).filter(|session| session.run_id == plan.run_id)
        {
            show(output, &session, begin);
            return Ok(ExitCode::Success);
        }
        if let Some(status) = keeper.try_wait()? {
            let told = std::fs::read_to_string(&log).unwrap_or_default();
            eprint!("{told}");
            return Ok(ExitCode::of(status.code()));
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = interrupt.recv() => return give_up(keeper, identity).await,
            _ = terminate.recv() => return give_up(keeper, identity).await,
        }
    }
}

fn start(file: &Utf8Path, log: &Utf8Path) -> Result<Child> {
    let program = std::env::current_exe().context("failed to find this program's own file")?;
    let log_file = File::options()
        .append(true)
        .open(log)
        .with_context(|| format!("failed to open {log}"))?;
    Command::new(&program)
        .args(["keep", "--plan", file.as_str()])
        .stdin(Stdio::null())
        .stdout(log_file.try_clone()?)
        .stderr(log_file)
        .spawn()
        .with_context(|| format!("failed to start {}", program.display()))
}

/// Asks the keeper to end and waits for it: its services must not come up behind our back.
async fn give_up(mut keeper: Child, identity: Option<Identity>) -> Result<ExitCode> {
    eprintln!("\nstopping");
    if let Some(identity) = identity {
        identity.signal(Signal::TERM);
    }
    while keeper.try_wait()?.is_none() {
        sleep(LOOK).await;
    }
    Ok(ExitCode::Interrupted)
}

fn show(output: Output, session: &Session, begin: Instant) {
    output.object(session);
    output.phase(&finished(
        PhaseName::Up,
        begin,
        format!("{} ready", count(session.services.len(), "service")),
    ));
    for service in &session.services {
        let address = service.address.as_deref().unwrap_or_default();
        output.line(&format!(
            "             {:<22} {:>5.2} s  {address}",
            service.name,
            service.ms as f64 / 1000.0
        ));
    }
    output.line("");
    if let Some(playground) = &session.playground {
        output.line("  Talk to this stack from a shell:");
        output.line(&format!(
            "    export STIGMER_SERVER_ADDR={}",
            playground.server
        ));
        output.line(&format!(
            "    {} apply --config <project>",
            session.stack.cli
        ));
    }
    output.line("  Run tests against it, or press \"run test\" in an IDE:");
    output.line("    cargo nextest run -p stigmer-e2e --test suite");
    output.line("  Look after it:");
    output.line("    cargo xtask status · logs · down");
}
