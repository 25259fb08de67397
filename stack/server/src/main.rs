//! The server as a process.

use std::{process::ExitCode, time::Duration};

use stigmer_server::{Settings, run};

fn main() -> ExitCode {
    if let Some(code) =
        stigmer_process::answer_arguments("stigmer-server", env!("CARGO_PKG_VERSION"))
    {
        return code;
    }
    stigmer_process::init_logging();
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("Error: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: failed to start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        // On its own from the first moment: a signal during the start ends the start.
        let signal = tokio::spawn(stigmer_process::shutdown_requested());
        run(settings, async {
            if let Ok(Err(error)) = signal.await {
                tracing::error!(%error, "signals cannot be received; stopping");
            }
        })
        .await
    });
    // What is still running has been told to stop and given its time.
    runtime.shutdown_timeout(Duration::from_millis(50));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
