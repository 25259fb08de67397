//! What every long-running part of the stack does the same way: settings from the environment,
//! logging, announcing readiness, and ending on a signal (`docs/contract/processes.md`).

mod build_id;
mod logging;
mod ready;
mod settings;
mod signal;

pub use build_id::build_id;
pub use logging::init_logging;
pub use ready::{AnnounceError, Ready, announce};
pub use settings::{SettingError, number, text, text_or};
pub use signal::shutdown_requested;

/// Answers `--version` (and refuses every other argument): the parts take their settings from the
/// environment only. Returns the exit code when the process should end.
pub fn answer_arguments(component: &str, version: &str) -> Option<std::process::ExitCode> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    match arguments.as_slice() {
        [] => None,
        [flag] if flag == "--version" => {
            println!("{component} {version} (build {})", build_id());
            Some(std::process::ExitCode::SUCCESS)
        }
        other => {
            eprintln!(
                "Error: {component} takes no arguments but --version, got {:?}; it is configured by environment variables",
                other.join(" ")
            );
            Some(std::process::ExitCode::from(2))
        }
    }
}
