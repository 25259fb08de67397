//! Building everything once: what is tested, and what tests it. Everything later uses these files.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{ExitCode, Stack, failure, read_json, write_json};
use xshell::{Cmd, Shell, cmd};

use crate::{checkout::Checkout, environment::as_the_user};

/// What a build gave. Absolute paths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Built {
    /// The driver.
    pub driver: Utf8PathBuf,
    /// The suite's test binary.
    pub suite: Utf8PathBuf,
    /// The stack under test.
    pub stack: Stack,
}

impl Built {
    /// Every binary.
    pub fn binaries(&self) -> [&Utf8PathBuf; 6] {
        let Stack {
            cli,
            server,
            workflow_runner,
            agent_runner,
        } = &self.stack;
        [
            cli,
            server,
            workflow_runner,
            agent_runner,
            &self.driver,
            &self.suite,
        ]
    }

    /// What the last build gave, if there was one.
    pub fn last(checkout: &Checkout) -> Option<Self> {
        read_json(&record_path(checkout)).ok()
    }
}

fn record_path(checkout: &Checkout) -> Utf8PathBuf {
    checkout.binaries.join("stigmer-e2e.build.json")
}

/// Builds the workspace. Always with the same arguments: other ones would unify other features,
/// and compile again what is there.
pub fn build(checkout: &Checkout, cargo: &Utf8PathBuf) -> Result<(Built, String)> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    let command = cmd!(
        sh,
        "{cargo} build --locked --workspace --exclude xtask --bins --test suite {JSON}"
    );
    let output = run_cargo(command)?;
    let executable = |name: &str| {
        let found = output.executables.get(name).cloned();
        found.with_context(|| {
            format!("the build gave no executable `{name}`: is it still a member of the workspace?")
        })
    };
    let stack = Stack {
        cli: executable("stigmer")?,
        server: executable("stigmer-server")?,
        workflow_runner: executable("stigmer-workflow-runner")?,
        agent_runner: executable("stigmer-agent-runner")?,
    };
    let built = Built {
        driver: executable("stigmer-e2e")?,
        suite: executable("suite")?,
        stack,
    };
    write_json(&record_path(checkout), &built)?;
    Ok((built, output.summary()))
}

/// Makes cargo print what it built as JSON on stdout, and diagnostics for people on stderr.
pub const JSON: &str = "--message-format=json-render-diagnostics";

/// What one run of `cargo build` told.
#[derive(Debug, Default)]
pub struct CargoOutput {
    executables: HashMap<String, Utf8PathBuf>,
    compiled: usize,
}

impl CargoOutput {
    /// One line for people.
    pub fn summary(&self) -> String {
        match self.compiled {
            0 => "nothing to compile".to_owned(),
            compiled => format!("{compiled} targets compiled"),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        target: Target,
        executable: Option<Utf8PathBuf>,
        fresh: bool,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Runs a `cargo build` or a relative of it: its progress and its diagnostics go to stderr, its
/// closing remarks do not, and a failure ends with [`ExitCode::BuildFailed`].
pub fn run_cargo(command: Cmd<'_>) -> Result<CargoOutput> {
    let mut command = Command::from(as_the_user(command));
    if std::io::stderr().is_terminal() {
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
    let remarks = thread::spawn(move || pass_on(stderr, std::io::stderr()));
    let stdout = child
        .stdout
        .take()
        .context("cargo's stdout was not piped")?;
    let mut output = CargoOutput::default();
    for line in BufReader::new(stdout).lines() {
        // Build scripts and procedural macros may print lines of their own.
        let Ok(Message::CompilerArtifact {
            target,
            executable,
            fresh,
        }) = serde_json::from_str(&line?)
        else {
            continue;
        };
        output.compiled += usize::from(!fresh);
        if let Some(executable) = executable {
            output.executables.insert(target.name, executable);
        }
    }
    let status = child.wait()?;
    // A terminal that is gone is no reason to fail a build.
    let _ = remarks.join();
    if status.success() {
        return Ok(output);
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
    fn a_failed_build_has_its_own_exit_code() {
        let sh = Shell::new().expect("a shell");
        let error = run_cargo(cmd!(sh, "false")).expect_err("false fails");
        assert_eq!(
            stigmer_e2e_plan::exit_code_of(&error),
            ExitCode::BuildFailed
        );
    }
}
