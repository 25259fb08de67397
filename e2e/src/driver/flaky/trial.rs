//! A run inside the verb: this program again, with a plan of its own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::supervise::{Child, RUN_VARIABLE, Spec, StopPolicy, log_tail};
use stigmer_e2e_plan::{ExitCode, Plan, Verb, write_json};

/// How long a run may take to end when asked: its tests, then its services.
const GRACE: Duration = Duration::from_secs(60);

/// A run that goes on.
pub struct Trial {
    folder: Utf8PathBuf,
    child: Child,
    begin: Instant,
}

impl Trial {
    /// Starts the run `number` below the folder `kind` of the results of `plan`, as `change` makes it.
    pub fn start(
        plan: &Plan,
        kind: &str,
        number: u64,
        change: impl FnOnce(&mut Plan),
    ) -> Result<Self> {
        let folder = plan.results.join(kind).join(format!("{number:03}"));
        let mut own = Plan {
            verb: Verb::Run,
            run_id: format!("{}-{number}", plan.run_id),
            results: folder.clone(),
            json: false,
            keep: false,
            ..plan.clone()
        };
        change(&mut own);
        let file = folder.join("plan.json");
        write_json(&file, &own)?;
        let program = super::super::own_program()?;
        let spec = Spec::new(kind, program, folder.join("output.txt"))
            .args(["run", "--plan", file.as_str()])
            .env(RUN_VARIABLE, &plan.run_id);
        Ok(Self {
            folder,
            child: Child::spawn(spec).context("failed to start a run")?,
            begin: Instant::now(),
        })
    }

    /// Its results folder.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Waits for its end: the exit code, and how many milliseconds it took.
    pub async fn ended(&mut self) -> (ExitCode, u64) {
        let status = self.child.ended().await;
        let ms = self.begin.elapsed().as_millis() as u64;
        (ExitCode::of(status.code()), ms)
    }

    /// Ends it.
    pub async fn abort(mut self) -> Result<()> {
        let policy = StopPolicy::Graceful { grace: GRACE };
        self.child.stop(policy).await?;
        Ok(())
    }

    /// The end of what it printed, on one line.
    pub fn last_words(&self) -> String {
        let log = self.child.log();
        format!("{} ({log})", log_tail(log, 3).join("; "))
    }
}
