//! A daemon as a person has it: `stigmer server …` with a HOME, ports, and a namespace of its own.

mod processes;
mod report;
mod teardown;

use std::{fs, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Api, Broken, Cli, CliError, CliOutput, Store, Temporal, TemporalError, Test,
    budget::{START, STOP},
    edge::{Reply, ScriptLlm},
    environment::settings::{Variables, common, developer, overridden, pairs},
    temporal::unique_namespace,
};
use crate::ensure;

pub use processes::{HomeProcess, listening_ports, processes_of, remote_ports};
pub use report::{PartReport, Report};
pub(super) use teardown::{keep_log_tails, logs_of};

/// How long a start may take until it says so: START for the parts, and some for the command itself.
const START_COMMAND: Duration = Duration::from_secs(START.limit.as_secs() + 5);

/// A daemon could not be used.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is the error of what it is named after"
)]
pub enum DaemonError {
    #[error("failed to prepare {folder}: {source}")]
    Prepare {
        folder: Utf8PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Temporal(#[from] TemporalError),
    #[error(transparent)]
    Cli(#[from] CliError),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// The daemon of one HOME. Whatever runs of it is stopped when this is dropped, so that a story may
/// end anywhere; a story that ends well stops it itself, and proves that nothing is left.
pub struct Daemon {
    test: Test,
    home: Utf8PathBuf,
    variables: Variables,
    llm: ScriptLlm,
    temporal: Option<Temporal>,
}

impl Daemon {
    /// One that uses the run's Temporal, in a namespace of its own, and a scripted model that
    /// answers everything with `Done.`. Nothing runs yet.
    ///
    /// # Errors
    ///
    /// When its folder, its namespace, or its model cannot be made.
    pub async fn prepare(test: &Test) -> Result<Self, DaemonError> {
        let mut daemon = Self::with_own_temporal(test).await?;
        let address = test.session().temporal.address.clone();
        let namespace = unique_namespace(test.name());
        let key = daemon.folder().join("payload.key");
        daemon.temporal = Some(Temporal::create(&address, &namespace, &key).await?);
        Ok(daemon
            .setting("TEMPORAL_SERVICE_ADDRESS", address)
            .setting("TEMPORAL_NAMESPACE", namespace))
    }

    /// The same with a Temporal that the daemon runs.
    ///
    /// # Errors
    ///
    /// When its folder or its model cannot be made.
    pub async fn with_own_temporal(test: &Test) -> Result<Self, DaemonError> {
        let number = (1..).find(|n| !home_of(test, *n).exists()).unwrap_or(1);
        let home = home_of(test, number);
        let prepared = |source| DaemonError::Prepare {
            folder: home.clone(),
            source,
        };
        fs::create_dir_all(home.join(".stigmer")).map_err(prepared)?;
        let llm = ScriptLlm::start(test.llm_journal()).map_err(prepared)?;
        llm.answer_any(Reply::text("Done."));
        let stack = &test.session().stack;
        let mut variables = common(test, &home);
        variables.extend(developer(test.session()));
        variables.extend(pairs([
            ("GRPC_PORT", "0".to_owned()),
            ("STIGMER_TEMPORAL_PORT", "0".to_owned()),
            ("STIGMER_TEMPORAL_UI_PORT", "0".to_owned()),
            (
                "STIGMER_TEMPORAL_BIN",
                test.session().temporal.cli.to_string(),
            ),
            ("STIGMER_SERVER_BIN", stack.server.to_string()),
            (
                "STIGMER_WORKFLOW_RUNNER_BIN",
                stack.workflow_runner.to_string(),
            ),
            ("STIGMER_AGENT_RUNNER_BIN", stack.agent_runner.to_string()),
            ("STIGMER_LLM_BASE_URL", llm.base_url().to_owned()),
            ("STIGMER_LLM_MODEL", llm.model().to_owned()),
            ("RUST_BACKTRACE", "1".to_owned()),
        ]));
        Ok(Self {
            test: test.clone(),
            home,
            variables,
            llm,
            temporal: None,
        })
    }

    /// Sets a variable for every command.
    #[must_use]
    pub fn setting(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.variables = overridden(
            self.variables.clone(),
            &[(variable.to_owned(), value.into())],
        );
        self
    }

    /// The CLI of this HOME, which is told of no server.
    pub fn cli(&self) -> Cli {
        let program = self.test.session().stack.cli.clone();
        Cli::new(
            self.test.clone(),
            program,
            self.home.clone(),
            self.variables.clone(),
        )
    }

    /// `stigmer server start`, which has to end well, and what it said.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn start(&self) -> Result<Report, DaemonError> {
        let output = self.try_start().await?;
        output.exited_with(0)?;
        self.test
            .within(START, "the daemon started", output.duration)?;
        Ok(Report::of(&output)?)
    }

    /// `stigmer server start`, however it ends.
    ///
    /// # Errors
    ///
    /// When it cannot be run to its end.
    pub async fn try_start(&self) -> Result<CliOutput, DaemonError> {
        let start = self.cli().args(["server", "start", "--output", "json"]);
        let output = start.within(START_COMMAND).run().await?;
        self.test.begin_body();
        Ok(output)
    }

    /// `stigmer server status` and what it says; its exit code has to fit.
    ///
    /// # Errors
    ///
    /// When it says nothing that can be read, or its exit code says something else.
    pub async fn status(&self) -> Result<Report, DaemonError> {
        let output = self
            .cli()
            .args(["server", "status", "--output", "json"])
            .run()
            .await?;
        let report = Report::of(&output)?;
        let code = match report.state.as_str() {
            "running" => 0,
            "stopped" => 3,
            _ => 1,
        };
        output.exited_with(code)?;
        Ok(report)
    }

    /// `stigmer server stop`, within STOP; afterwards nothing is left: no process of this HOME, no
    /// open port of theirs, no forced kill.
    ///
    /// # Errors
    ///
    /// When something is.
    pub async fn stop(&self) -> Result<CliOutput, DaemonError> {
        let ports = listening_ports(&self.processes());
        let output = self.cli().args(["server", "stop"]).run().await?;
        output.exited_with(0)?;
        output.does_not_say("killed")?;
        self.test
            .within(STOP, "the daemon stopped", output.duration)?;
        self.nothing_is_left(&ports)?;
        Ok(output)
    }

    /// Checks that no process of this HOME runs and nobody listens on `ports`.
    ///
    /// # Errors
    ///
    /// When one does.
    pub fn nothing_is_left(&self, ports: &[u16]) -> Result<(), Broken> {
        let left = self.processes();
        ensure!(left.is_empty(), "left running: {left:#?}");
        for port in ports {
            let open = std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok();
            ensure!(!open, "somebody still listens on port {port}");
        }
        Ok(())
    }

    /// Every process of this HOME, by the process table.
    pub fn processes(&self) -> Vec<HomeProcess> {
        processes_of(&self.home)
    }

    /// The API at `address`, see [`Report::address`].
    pub fn api(&self, address: &str) -> Api {
        Api::new(address, self.test.grpc_journal())
    }

    /// The scripted model.
    pub fn llm(&self) -> &ScriptLlm {
        &self.llm
    }

    /// Its namespace in the run's Temporal.
    ///
    /// # Panics
    ///
    /// When the daemon runs a Temporal of its own.
    pub fn temporal(&self) -> &Temporal {
        self.temporal
            .as_ref()
            .expect("this daemon uses the run's Temporal")
    }

    /// The store of its server.
    pub fn store(&self) -> Store {
        let given = self.variables.iter().find(|(name, _)| name == "DB_PATH");
        let path = given.map(|(_, path)| Utf8PathBuf::from(path));
        Store::new(path.unwrap_or_else(|| self.folder().join("stigmer.db")))
    }

    /// Its HOME.
    pub fn home(&self) -> &Utf8Path {
        &self.home
    }

    /// `.stigmer` in its HOME.
    pub fn folder(&self) -> Utf8PathBuf {
        self.home.join(".stigmer")
    }

    /// The log of a component, such as `stigmer-server`.
    pub fn log(&self, component: &str) -> Utf8PathBuf {
        match component {
            "temporal" => self.folder().join("logs/temporal.log"),
            _ => self.folder().join(format!("data/logs/{component}.log")),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if !self.processes().is_empty() {
            let mut stop = std::process::Command::new(&self.test.session().stack.cli);
            stop.args(["server", "stop"]).env_clear();
            stop.envs(self.variables.iter().map(|(name, value)| (name, value)));
            // What it could not stop is found by the teardown, which kills and reports it.
            let _ = stop.output();
        }
        // Large, and nobody looks into it.
        let _ = fs::remove_dir_all(self.folder().join("temporal-data"));
        // Nobody is to open what was encrypted with it any more.
        let _ = fs::remove_file(self.folder().join("payload.key"));
    }
}

fn home_of(test: &Test, number: usize) -> Utf8PathBuf {
    test.folder().join(format!("daemon-{number}"))
}
