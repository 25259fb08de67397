//! The server as a process.

use std::process::ExitCode;

use stigmer_server::{Settings, replayer, run};
use stigmer_temporal::replay_if_asked;

fn main() -> ExitCode {
    if let Some(code) = replay_if_asked(replayer) {
        return code;
    }
    stigmer_process::run(
        "stigmer-server",
        env!("CARGO_PKG_VERSION"),
        Settings::from_env,
        |settings| async {
            // On its own from the first moment: a signal during the start ends the start.
            let signal = tokio::spawn(stigmer_process::shutdown_requested());
            run(settings, async {
                if let Ok(Err(error)) = signal.await {
                    tracing::error!(%error, "signals cannot be received; stopping");
                }
            })
            .await
        },
    )
}
