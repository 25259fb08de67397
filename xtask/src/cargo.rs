//! Running cargo: its progress shown, its results understood.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use serde::Deserialize;
use stigmer_e2e_plan::{ExitCode, failure};
use xshell::Cmd;

use crate::environment::as_the_user;

/// Makes cargo print what it built as JSON on stdout, and diagnostics for people on stderr.
pub const JSON: &str = "--message-format=json-render-diagnostics";

/// What one run of `cargo build` told.
#[derive(Debug, Default)]
pub struct CargoOutput {
    /// The executables by the names of their targets.
    pub executables: HashMap<String, Utf8PathBuf>,
    /// The names of all packages and targets that are there now.
    pub names: HashSet<String>,
    /// How many of them were not there before.
    pub compiled: usize,
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact(Artifact),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    executable: Option<Utf8PathBuf>,
    fresh: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The name in a package id: `…#name@version`, or `…/name#version` if the folder says it.
fn package_name(id: &str) -> &str {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => url.rsplit('/').next().unwrap_or(url),
    }
}

/// Runs a `cargo build` or a relative of it: its progress and its diagnostics go to stderr, its
/// closing remarks do not, and a failure ends with [`ExitCode::BuildFailed`].
pub fn run_cargo(command: Cmd<'_>) -> Result<CargoOutput> {
    run(Command::from(as_the_user(command)), Remarks::Live)
}

/// [`run_cargo`] beside another one that is shown: it takes the processor time which that one leaves,
/// and what it prints is only shown if it fails.
pub fn run_cargo_aside(command: Cmd<'_>) -> Result<CargoOutput> {
    let command = Command::from(as_the_user(command));
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    run(nice, Remarks::IfItFails)
}

/// When the user sees what cargo prints for people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remarks {
    /// As it prints it.
    Live,
    /// Afterwards, and only then.
    IfItFails,
}

fn run(mut command: Command, remarks: Remarks) -> Result<CargoOutput> {
    if remarks == Remarks::Live && std::io::stderr().is_terminal() {
        // It writes to our pipe, and we to the terminal.
        command
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "80")
            .env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {command:?}"))?;
    let stderr = child
        .stderr
        .take()
        .context("cargo's stderr was not piped")?;
    let mut kept = Vec::new();
    let shown = thread::spawn(move || match remarks {
        Remarks::Live => pass_on(stderr, std::io::stderr()).map(|()| kept),
        Remarks::IfItFails => pass_on(stderr, &mut kept).map(|()| kept),
    });
    let stdout = child
        .stdout
        .take()
        .context("cargo's stdout was not piped")?;
    let mut output = CargoOutput::default();
    for line in BufReader::new(stdout).lines() {
        // Build scripts and procedural macros may print lines of their own.
        let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(&line?) else {
            continue;
        };
        let Artifact {
            package_id,
            target,
            executable,
            fresh,
        } = artifact;
        output.compiled += usize::from(!fresh);
        output
            .names
            .extend([package_name(&package_id).to_owned(), target.name.clone()]);
        if let Some(executable) = executable {
            output.executables.insert(target.name, executable);
        }
    }
    let status = child.wait()?;
    let kept = shown.join();
    if status.success() {
        return Ok(output);
    }
    if let Ok(Ok(kept)) = kept {
        // A terminal that is gone is no reason to fail in another way.
        let _ = std::io::stderr().write_all(&kept);
    }
    Err(failure(
        ExitCode::BuildFailed,
        format!("the build failed (cargo: {status})"),
        "see the messages above",
    ))
}

/// Copies what cargo prints, piece by piece so that its progress bar moves, except the remark that
/// it has finished, which the phase's own line says better.
fn pass_on(mut from: impl Read, mut to: impl Write) -> std::io::Result<()> {
    let (mut buffer, mut piece) = ([0; 4096], Vec::new());
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.write_all(&piece);
        }
        for byte in &buffer[..read] {
            piece.push(*byte);
            if matches!(byte, b'\n' | b'\r') {
                if !is_closing_remark(&piece) {
                    to.write_all(&piece)?;
                }
                piece.clear();
            }
        }
        to.flush()?;
    }
}

fn is_closing_remark(piece: &[u8]) -> bool {
    let text = String::from_utf8_lossy(piece);
    text.contains("Finished") && text.contains("profile") && text.contains("target(s) in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_passed_on_except_that_it_has_finished() {
        let printed = "   Compiling a v0.1.0\n    Building [=>  ] 1/2\r    Finished `dev` profile [unoptimized] target(s) in 0.5s\nwarning: x";
        let mut shown = Vec::new();
        pass_on(printed.as_bytes(), &mut shown).expect("memory can be written");
        assert_eq!(
            String::from_utf8_lossy(&shown),
            "   Compiling a v0.1.0\n    Building [=>  ] 1/2\rwarning: x"
        );
    }

    #[test]
    fn package_ids_name_their_package() {
        assert_eq!(
            package_name("path+file:///c/stack/sdk#stigmer@0.1.0"),
            "stigmer"
        );
        assert_eq!(package_name("path+file:///c/e2e/plan#0.1.0"), "plan");
        assert_eq!(
            package_name("registry+https://host/index#prost-types@0.14.6"),
            "prost-types"
        );
    }

    #[test]
    fn a_failed_build_has_its_own_exit_code() {
        let sh = xshell::Shell::new().expect("a shell");
        let error = run_cargo(xshell::cmd!(sh, "false")).expect_err("false fails");
        assert_eq!(
            stigmer_e2e_plan::exit_code_of(&error),
            ExitCode::BuildFailed
        );
    }
}
