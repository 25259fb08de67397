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
    crate::init_logging();
    let settings = settings().unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        exit(2);
    });
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| {
        eprintln!("Error: failed to start the Tokio runtime: {error}");
        exit(1);
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
