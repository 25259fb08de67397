//! `run.json`: what was run, on what, how, and how it ended. Written at the start with the verdict
//! `running` and again whenever something is added to it.

use anyhow::Result;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stigmer_e2e::supervise::ServiceStarted;
use stigmer_e2e_plan::{
    ExitCode, LlmChoice, PhaseRecord, Pin, Plan, Runtime, Selection, ServerAddress, read_json,
    write_json,
};

use super::{ContainersRecord, Isolation, Provenance, Summary, Tally, events::now};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdict {
    /// It has not; on disk after the driver's end: the driver was killed.
    Running,
    /// Everything selected passed or was allowed to be skipped.
    Passed,
    /// `up` was told to end.
    Stopped,
    /// A test failed.
    Failed,
    /// No test ran.
    NothingRan,
    /// A prerequisite is missing.
    PrerequisiteMissing,
    /// A shared service did not come up, died, or had to be killed.
    ServiceFailed,
    /// Processes were left behind.
    Leftovers,
    /// Something tried to reach another machine, and was not to.
    TriedToLeave,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The results could not be written.
    ResultsUnwritable,
    /// The pipeline could not do its own work.
    Broken,
}

impl RunVerdict {
    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Passed => "passed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::NothingRan => "nothing ran",
            Self::PrerequisiteMissing => "a prerequisite is missing",
            Self::ServiceFailed => "a service failed",
            Self::Leftovers => "something was left behind",
            Self::TriedToLeave => "something tried to reach another machine",
            Self::Interrupted => "interrupted",
            Self::ResultsUnwritable => "the results could not be written",
            Self::Broken => "the pipeline failed",
        }
    }
}

/// A selected test that does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// Its path in the suite.
    pub name: String,
    /// Why.
    pub reason: &'static str,
}

/// The content of `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// Names the run.
    pub run_id: String,
    /// How it ended.
    pub verdict: RunVerdict,
    /// The exit code of the driver; nothing while it runs.
    pub exit_code: Option<u8>,
    /// Why it did not simply pass.
    pub cause: Option<String>,
    /// When the driver took over, RFC 3339.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The seed of the order and of what tests draw.
    pub seed: u64,
    /// How many tests ran at once.
    pub jobs: usize,
    /// Which tests were asked for.
    pub selection: Selection,
    /// Of a shard: the paths of all tests that were selected before it was cut; otherwise none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shard_of: Vec<String>,
    /// The order in which the seed has the tests start; one that waits for the model may start later,
    /// as `events.jsonl` shows.
    pub order: Vec<String>,
    /// How many tests stand how.
    pub counts: Tally,
    /// The phases and their times.
    pub phases: Vec<PhaseRecord>,
    /// In what the parts of the stack ran.
    pub runtime: Runtime,
    /// The server of somebody else that was asked; nothing when the run had stacks of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerAddress>,
    /// Selected tests that do not run on what the run had.
    pub set_aside: Vec<SetAside>,
    /// What containers were made of; nothing when there were none.
    pub containers: Option<ContainersRecord>,
    /// The shared services and their start times.
    pub services: Vec<ServiceStarted>,
    /// Which model answered.
    pub llm: LlmChoice,
    /// SHA-256 of the pinned model file.
    pub model_sha256: Option<String>,
    /// The pinned artefacts.
    pub pins: Vec<Pin>,
    /// Binaries, revision, and host; nothing until they are known.
    #[serde(flatten)]
    pub provenance: Option<Provenance>,
    /// How far the run was cut off from other machines; nothing when it was not to be.
    pub hermetic: Option<Isolation>,
    /// Processes that had to be killed because they did not end when asked.
    pub forced_kills: usize,
    /// Processes that were still there after everything was stopped.
    pub leftovers: Option<usize>,
}

impl RunRecord {
    /// The record of a run that begins.
    pub fn new(plan: &Plan) -> Self {
        Self {
            run_id: plan.run_id.clone(),
            verdict: RunVerdict::Running,
            exit_code: None,
            cause: None,
            started_at: now(),
            ended_at: None,
            seed: plan.seed,
            jobs: plan.jobs,
            selection: plan.selection.clone(),
            shard_of: Vec::new(),
            order: Vec::new(),
            counts: Tally::default(),
            phases: plan.phases.clone(),
            runtime: plan.runtime.clone(),
            server: plan.server.clone(),
            set_aside: Vec::new(),
            containers: None,
            services: Vec::new(),
            llm: plan.llm.clone(),
            model_sha256: plan.tools.llm.as_ref().map(|files| files.sha256.clone()),
            pins: plan.pins.clone(),
            provenance: None,
            hermetic: None,
            forced_kills: 0,
            leftovers: None,
        }
    }

    /// The run has ended now, as `summary` says.
    pub fn end(&mut self, summary: &Summary) {
        (self.verdict, self.exit_code) = (summary.verdict, Some(summary.exit_code));
        self.cause.clone_from(&summary.cause);
        self.counts = summary.tally;
        (self.forced_kills, self.leftovers) = (summary.forced_kills, summary.leftovers);
        self.ended_at = Some(now());
    }
}

/// Writes into the `run.json` in `results` how the run ended; for when the record itself is out of
/// reach: an end in a hurry, or the end of another process.
pub fn mark_ended(
    results: &Utf8Path,
    verdict: RunVerdict,
    exit_code: ExitCode,
    cause: &str,
) -> Result<()> {
    let file = results.join("run.json");
    let mut record: Value = read_json(&file)?;
    record["verdict"] = serde_json::to_value(verdict)?;
    record["exit_code"] = (exit_code as u8).into();
    record["cause"] = cause.into();
    record["ended_at"] = now().into();
    write_json(&file, &record)
}
