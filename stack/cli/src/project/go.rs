//! Programs in Go.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use super::process;

/// Why there is no executable.
#[derive(Debug, thiserror::Error)]
pub enum GoError {
    #[error("failed to start go, which the runtime 'go' needs on the PATH")]
    Start(#[source] io::Error),
    #[error("invalid Go module: go.mod is invalid: missing module directive (in {0})")]
    NoModuleDirective(Utf8PathBuf),
    #[error("failed to update dependencies:\n{0}")]
    Tidy(String),
    #[error("failed to build {entry}:\n{output}")]
    Build { entry: Utf8PathBuf, output: String },
}

/// How much of the compiler's output is shown, in bytes.
const SHOWN: usize = 64 * 1024;

/// Builds `entry`, an absolute path, into `executable`. Inside a module its dependencies are
/// brought up to date before.
pub async fn build(entry: &Utf8Path, executable: &Utf8Path) -> Result<(), GoError> {
    let dir = entry.parent().unwrap_or(entry);
    let module = dir.join("go.mod");
    if fs::read_to_string(&module).is_ok_and(|text| !text.contains("module ")) {
        return Err(GoError::NoModuleDirective(module));
    }
    if dir.ancestors().any(|dir| dir.join("go.mod").is_file()) {
        let finished = run(dir, &["mod", "tidy"]).await?;
        if !finished.succeeded() {
            return Err(GoError::Tidy(shown(&format!(
                "{}{}",
                finished.stdout, finished.stderr
            ))));
        }
    }
    let name = entry.file_name().unwrap_or(entry.as_str());
    let finished = run(dir, &["build", "-o", executable.as_str(), name]).await?;
    match finished.succeeded() {
        true => Ok(()),
        false => Err(GoError::Build {
            entry: entry.to_owned(),
            output: shown(&finished.stderr),
        }),
    }
}

/// The compiler prints nothing before its first error.
fn shown(output: &str) -> String {
    process::excerpt(output, SHOWN, |_| false)
}

async fn run(dir: &Utf8Path, args: &[&str]) -> Result<process::Finished, GoError> {
    let mut command = Command::new("go");
    command.args(args).current_dir(dir);
    process::run(command, None).await.map_err(GoError::Start)
}
