//! Ending on a signal: the first asks, the second insists.

use std::{io, process::exit, sync::OnceLock};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// The first signal, once there was one.
static ASKED: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// Listens for SIGINT, SIGTERM, and SIGHUP from now on, and only once in a process: from here on none
/// of them ends it by itself. A second signal ends it at once with code 130.
///
/// # Errors
///
/// When the signal handlers cannot be installed.
///
/// # Panics
///
/// Outside a Tokio runtime.
pub(crate) fn listen() -> io::Result<()> {
    let mut signals = Signals::install()?;
    let (asked, receiver) = watch::channel(false);
    if ASKED.set(receiver).is_err() {
        return Ok(());
    }
    tokio::spawn(async move {
        let first = signals.next().await;
        tracing::info!(signal = first, "graceful shutdown");
        asked.send_replace(true);
        let second = signals.next().await;
        tracing::warn!(signal = second, "second signal, ending at once");
        exit(130);
    });
    Ok(())
}

/// Resolves at the first SIGINT, SIGTERM, or SIGHUP since [`run`](crate::run) began.
///
/// # Errors
///
/// When the signal handlers cannot be installed.
pub async fn shutdown_requested() -> io::Result<()> {
    if ASKED.get().is_none() {
        listen()?;
    }
    if let Some(asked) = ASKED.get() {
        // The sender lives as long as the process.
        let _ = asked.clone().wait_for(|asked| *asked).await;
    }
    Ok(())
}

/// The signals that ask a process to end. While this lives, none of them ends it by itself.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens for SIGINT, SIGTERM, and SIGHUP.
    ///
    /// # Errors
    ///
    /// When the signal handlers cannot be installed.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one; returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
