//! What to start, and how it wants to be stopped.

use std::{ffi::OsString, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Relay;

/// One process to start. Its output goes to its log file, both streams in their true order.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) program: Utf8PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, Option<String>)>,
    pub(crate) clear_environment: bool,
    pub(crate) directory: Option<Utf8PathBuf>,
    pub(crate) log: Utf8PathBuf,
    pub(crate) hold_stdin: bool,
    pub(crate) pipe_stdout: bool,
    pub(crate) pipe_stderr: bool,
    pub(crate) ready_within: Duration,
    pub(crate) relay: Option<Arc<dyn Relay>>,
}

impl Spec {
    /// A process named `name` in reports, which runs `program` and appends its output to `log`.
    pub fn new(
        name: impl Into<String>,
        program: impl AsRef<Utf8Path>,
        log: impl AsRef<Utf8Path>,
    ) -> Self {
        Self {
            name: name.into(),
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            clear_environment: false,
            directory: None,
            log: log.as_ref().to_owned(),
            hold_stdin: false,
            pipe_stdout: false,
            pipe_stderr: false,
            ready_within: Duration::from_secs(30),
            relay: None,
        }
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, variable: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((variable.into(), Some(value.into())));
        self
    }

    /// Hides an environment variable.
    pub fn env_remove(mut self, variable: impl Into<String>) -> Self {
        self.environment.push((variable.into(), None));
        self
    }

    /// Starts from an empty environment.
    pub fn env_clear(mut self) -> Self {
        self.clear_environment = true;
        self
    }

    /// Runs in `directory`.
    pub fn directory(mut self, directory: impl AsRef<Utf8Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Gives it a pipe as stdin that stays open as long as the owner lives; otherwise stdin is empty.
    pub fn hold_stdin(mut self) -> Self {
        self.hold_stdin = true;
        self
    }

    /// Sends stdout to a pipe, see [`super::Process::take_stdout`]; only stderr goes to the log.
    pub fn pipe_stdout(mut self) -> Self {
        self.pipe_stdout = true;
        self
    }

    /// Sends stderr to a pipe, see [`super::Process::take_stderr`].
    pub fn pipe_stderr(mut self) -> Self {
        self.pipe_stderr = true;
        self
    }

    /// How long it may take to become ready (30 s unless set).
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.ready_within = limit;
        self
    }

    /// Says that it is only the client of something, which `relay` reaches.
    pub fn client_of(mut self, relay: Arc<dyn Relay>) -> Self {
        self.relay = Some(relay);
        self
    }

    /// Its name in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its log file.
    pub fn log(&self) -> &Utf8Path {
        &self.log
    }
}

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopPolicy {
    /// SIGTERM to its group; SIGKILL, counted as forced, if it has not ended in time.
    Graceful {
        /// The time it has.
        grace: Duration,
    },
    /// SIGKILL to its group at once: for a process that keeps nothing worth a polite end.
    Kill,
}

impl Default for StopPolicy {
    /// SIGTERM and ten seconds, the contract's limit for a stop.
    fn default() -> Self {
        Self::Graceful {
            grace: Duration::from_secs(10),
        }
    }
}
