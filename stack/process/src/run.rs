//! The life of a part's process, from arguments to exit code.

use std::process::exit;

/// Runs a part and ends the process: answers `--version`, sets up logging, reads the settings, and
/// serves until `serve` is done. Exit codes: 0 ended as asked, 1 failed, 2 wrong settings or
/// arguments.
pub fn run<S, E, F>(
    component: &str,
    version: &str,
    settings: impl FnOnce() -> Result<S, E>,
    serve: impl FnOnce(S) -> F,
) -> !
where
    E: std::fmt::Display,
    F: Future<Output = anyhow::Result<()>>,
{
    if let Some(code) = crate::arguments::answer(component, version) {
        exit(code);
    }
    live(settings, serve)
}

/// Everything but the arguments.
fn live<S, E, F>(settings: impl FnOnce() -> Result<S, E>, serve: impl FnOnce(S) -> F) -> !
where
    E: std::fmt::Display,
    F: Future<Output = anyhow::Result<()>>,
{
    crate::init_logging();
    let started = tokio::runtime::Runtime::new().and_then(|runtime| {
        // Before anything that takes time: who is asked to end while it starts must not just die.
        runtime.block_on(async { crate::signal::listen() })?;
        Ok(runtime)
    });
    let runtime = started.unwrap_or_else(|error| {
        eprintln!("Error: failed to start: {error}");
        exit(1);
    });
    let settings = settings().unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        exit(2);
    });
    let code = match runtime.block_on(serve(settings)) {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!("{error:#}");
            1
        }
    };
    // Not by dropping the runtime: a Temporal worker that did not end within its bound still uses
    // it from its own thread, and would panic.
    exit(code);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_signal_before_the_part_serves_is_not_lost_and_does_not_kill() {
        let ended = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "run::tests::helper_part", "--ignored"])
            .status()
            .expect("it starts");
        assert_eq!(ended.code(), Some(0));
    }

    #[test]
    #[ignore = "the process that the other test starts"]
    fn helper_part() {
        let settings = || {
            let own = std::process::id().to_string();
            Command::new("kill")
                .args(["-TERM", &own])
                .status()
                .map(drop)
        };
        live(settings, |()| async {
            Ok(crate::shutdown_requested().await?)
        });
    }
}
