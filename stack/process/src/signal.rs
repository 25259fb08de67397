//! Ending on a signal: the first asks, the second insists.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Resolves at the first SIGINT, SIGTERM, or SIGHUP. A second one ends the process at once with
/// code 130.
///
/// # Errors
///
/// When the signal handlers cannot be installed.
pub async fn shutdown_requested() -> std::io::Result<()> {
    let mut signals = Signals::install()?;
    let first = signals.next().await;
    tracing::info!(signal = first, "graceful shutdown");
    tokio::spawn(async move {
        let second = signals.next().await;
        tracing::warn!(signal = second, "second signal, ending at once");
        std::process::exit(130);
    });
    Ok(())
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
