//! Ctrl-C, SIGTERM, SIGHUP: the first asks, the second insists.

use std::{collections::HashSet, io};

use camino::Utf8PathBuf;
use stigmer_e2e::supervise::leftovers;
use stigmer_e2e_plan::ExitCode;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::results::{RunVerdict, mark_ended};

/// The signals that this process has got.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on. A second signal kills every process of run `run_id`, notes it in
    /// `results`, and ends this process with [`ExitCode::Interrupted`].
    ///
    /// # Errors
    ///
    /// When the signal handlers cannot be installed.
    pub fn listen(run_id: &str, results: Utf8PathBuf) -> io::Result<Self> {
        let mut signals = Signals::install()?;
        let (asked, receiver) = watch::channel(false);
        let run = HashSet::from([run_id.to_owned()]);
        tokio::spawn(async move {
            signals.next().await;
            asked.send_replace(true);
            eprintln!("\nstopping; once more kills everything at once");
            signals.next().await;
            kill_all(&run);
            let code = ExitCode::Interrupted;
            let cause = "a second signal: everything was killed at once";
            if let Err(error) = mark_ended(&results, RunVerdict::Interrupted, code, cause) {
                eprintln!("error: {error:#}");
            }
            eprintln!("killed");
            std::process::exit(i32::from(code as u8));
        });
        Ok(Self(receiver))
    }

    /// Resolves when the first signal comes, or has come.
    pub async fn asked(&mut self) {
        // The sender lives as long as the process.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

/// Kills every marked process, again until a look finds none: one of them may have started another
/// in between.
fn kill_all(run: &HashSet<String>) {
    const LOOKS: usize = 100;
    for _ in 0..LOOKS {
        match leftovers::find(run) {
            Ok(found) if !found.is_empty() => drop(leftovers::kill(&found)),
            // Without `/proc` the services still die with their owner, which ends next.
            _ => return,
        }
    }
}

struct Signals([Signal; 3]);

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
