//! Following an execution, for every command that does.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::INTERRUPTED;
use crate::{
    api::{Api, Execution, Phase, Snapshot, reason},
    render::{LiveView, Screen, final_block},
};

/// How following ended.
#[derive(Debug)]
pub enum Followed {
    /// The execution has ended.
    ToTheEnd(Snapshot),
    /// The user pressed Ctrl-C; the execution goes on.
    Interrupted,
}

/// Shows the execution `id` until it ends or the user presses Ctrl-C.
///
/// # Errors
///
/// When the server stops telling before the execution has ended. The execution goes on.
pub async fn follow<E: Execution>(api: &Api, id: &str, screen: &Screen) -> Result<Followed> {
    tokio::select! {
        last = to_the_end::<E>(api, id, screen) => Ok(Followed::ToTheEnd(last?)),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            screen.blank();
            screen.info(format!("Not following any more; execution {id} goes on at the server"));
            Ok(Followed::Interrupted)
        }
    }
}

/// The exit code of a command that followed the execution `id` to its `last` state.
///
/// # Errors
///
/// When the execution did not succeed; the error says why.
pub fn verdict(id: &str, last: &Snapshot) -> Result<ExitCode> {
    match last.phase {
        Phase::Failed if last.error.is_empty() => {
            bail!("execution {id} failed without saying why")
        }
        Phase::Failed => bail!("execution {id} failed: {}", last.error),
        Phase::Cancelled => bail!("execution {id} was cancelled"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The exit code after Ctrl-C.
pub fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

async fn to_the_end<E: Execution>(api: &Api, id: &str, screen: &Screen) -> Result<Snapshot> {
    let mut updates = E::subscribe(api, id).await?;
    screen.success(format!("Streaming {} execution logs", E::OF));
    screen.blank();
    let mut view = LiveView::default();
    loop {
        let cause = match updates.message().await {
            Ok(Some(execution)) => {
                let snapshot = execution.snapshot();
                view.update(&snapshot)
                    .iter()
                    .for_each(|piece| screen.piece(piece));
                if snapshot.phase.is_terminal() {
                    final_block(E::HAS_TASKS, &snapshot)
                        .iter()
                        .for_each(|line| screen.line(line));
                    return Ok(snapshot);
                }
                continue;
            }
            Ok(None) => "the server ended the stream".to_owned(),
            Err(status) => reason(&status),
        };
        bail!(
            "lost the stream of execution {id}: {cause}\n\n\
             The execution goes on. To follow it again:\n  stigmer execution watch {id}",
        );
    }
}
