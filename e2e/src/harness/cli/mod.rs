//! Commands as a person uses them, `stigmer` above all: a process with a private HOME, its output
//! read line by line as it comes, ended when its time is up.

mod output;
mod running;
mod table;
mod transcript;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Test, budget};
use crate::supervise::Spec;

pub use output::{CliError, CliOutput, execution_id};
pub use running::RunningCli;
pub use table::Table;
pub use transcript::{Line, Stream};

/// One command to run.
#[derive(Clone)]
pub struct Cli {
    test: Test,
    program: Utf8PathBuf,
    arguments: Vec<String>,
    directory: Utf8PathBuf,
    environment: Vec<(String, String)>,
    deadline: Duration,
}

impl Cli {
    pub(crate) fn new(
        test: Test,
        program: Utf8PathBuf,
        directory: Utf8PathBuf,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self {
            test,
            program,
            arguments: Vec::new(),
            directory,
            environment,
            deadline: budget::COMMAND.limit,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<String>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it in `directory` instead of an empty one.
    #[must_use]
    pub fn cwd(mut self, directory: impl AsRef<Utf8Path>) -> Self {
        self.directory = directory.as_ref().to_owned();
        self
    }

    /// Sets a variable on top of the private environment.
    #[must_use]
    pub fn env(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(name, _)| name != variable);
        self.environment.push((variable.to_owned(), value.into()));
        self
    }

    /// Unsets a variable of the private environment.
    #[must_use]
    pub fn env_remove(mut self, variable: &str) -> Self {
        self.environment.retain(|(name, _)| name != variable);
        self
    }

    /// How long it may run; it is killed after that.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not end in time. Its exit code is for the test to judge.
    pub async fn run(self) -> Result<CliOutput, CliError> {
        self.spawn()?.finish().await
    }

    /// Starts it, to be watched while it runs.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn spawn(self) -> Result<RunningCli, CliError> {
        let name = self.program.file_name().unwrap_or(self.program.as_str());
        let words = std::iter::once(name).chain(self.arguments.iter().map(String::as_str));
        let command_line = words.collect::<Vec<_>>().join(" ");
        let transcript = self
            .test
            .next_transcript(self.arguments.first().map_or(name, String::as_str));
        let mut spec = Spec::new(name, &self.program, &transcript)
            .args(&self.arguments)
            .directory(&self.directory)
            .env_clear()
            .pipe_stdout()
            .pipe_stderr();
        for (variable, value) in &self.environment {
            spec = spec.env(variable, value);
        }
        RunningCli::start(&spec, command_line, transcript, &self.test, self.deadline)
    }
}
