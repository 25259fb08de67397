//! The end of a run: what can be said about the tests is written, everything is brought down, and the
//! verdict is written and shown. Whatever went wrong before, all of it happens.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;
use stigmer_e2e_plan::{ExitCode, LlmChoice, PhaseName};

use super::Run;
use crate::{
    driver::{
        hermetic::Border,
        shared::{Down, Shared, report},
        tripwires,
        verdict::{Ending, Facts, Gaps, conclude},
    },
    results::{Event, GitHub, History, Isolation, Measured, Summary},
};

/// What is known once everything is down.
#[derive(Default)]
pub(super) struct Closed {
    forced_kills: usize,
    leftovers: Option<usize>,
    gaps: Gaps,
    /// What went wrong meanwhile.
    error: Option<anyhow::Error>,
}

impl Run {
    /// The phases `collect` and `down`. Whatever goes wrong, everything is brought down.
    pub(super) async fn close(&mut self, shared: Option<Shared>, ending: &Ending) -> Closed {
        let mut closed = Closed::default();
        match self.collect() {
            Ok(gaps) => closed.gaps = gaps,
            Err(error) => closed.error = Some(error),
        }
        if let Err(error) = tripwires::check(&self.plan, self.outcomes()) {
            closed.error.get_or_insert(error);
        }
        match shared {
            // Nothing was started.
            None => closed.leftovers = Some(0),
            Some(mut shared) => {
                if self.plan.keep && matches!(ending, Ending::Completed) {
                    self.wait_while_kept(&mut shared).await;
                }
                if let Err(error) = self.down(shared, &mut closed).await {
                    closed.error.get_or_insert(error);
                }
            }
        }
        // Last, because services may try to leave while they end.
        let border = std::mem::replace(&mut self.border, Border::Open);
        border.conclude(&mut self.results.run.hermetic);
        closed
    }

    /// The phase `collect`; returns what the tests should have and do not.
    fn collect(&mut self) -> Result<Gaps> {
        let begin = Instant::now();
        let gaps = self.write_tests()?;
        self.phase(PhaseName::Collect, begin, self.shown_results())?;
        Ok(gaps)
    }

    async fn wait_while_kept(&mut self, shared: &mut Shared) {
        let session = shared.session(&self.plan);
        self.output.note(&format!(
            "kept: Temporal at {}; Ctrl-C or `cargo xtask down` ends it",
            session.temporal.address
        ));
        tokio::select! {
            error = shared.supervisor.failed() => report(self.output, &error),
            () = self.interrupt.asked() => {}
        }
    }

    async fn down(&mut self, shared: Shared, closed: &mut Closed) -> Result<()> {
        let Down {
            record,
            forced_kills,
            leftovers,
            containers,
        } = shared.down(&self.plan).await?;
        closed.forced_kills = forced_kills;
        closed.leftovers = leftovers
            .as_ref()
            .map(|found| found.len() + containers.len());
        for container in &containers {
            eprintln!("error: left behind and removed: container {container}");
            let name = json!({"container": container});
            self.results.event(&Event::new("leftover", name))?;
        }
        for leftover in leftovers.iter().flatten() {
            eprintln!(
                "error: left behind and killed: {} (pid {})",
                leftover.command, leftover.identity.pid
            );
            self.results.event(&Event::new("leftover", leftover))?;
        }
        self.record(record)
    }

    /// Writes and shows the verdict.
    pub(super) fn conclude(mut self, mut ending: Ending, mut closed: Closed) -> ExitCode {
        if let (Ending::Completed, Some(error)) = (&ending, closed.error.take()) {
            ending = Ending::Error(error);
        }
        let (mut summary, mut code) = self.judge(&ending, &closed);
        if let Err(error) = self.write_end(&summary)
            && !matches!(ending, Ending::Error(_))
        {
            ending = Ending::Error(error);
            (summary, code) = self.judge(&ending, &closed);
        }
        self.show(&ending, &summary);
        if let Some(github) = GitHub::here()
            && let Err(error) = github.show(&summary, self.outcomes())
        {
            // The verdict is what it is, whoever can read it.
            eprintln!("warning: {error:#}");
        }
        code
    }

    fn judge(&self, ending: &Ending, closed: &Closed) -> (Summary, ExitCode) {
        let mut summary = Summary::of(
            &self.plan.run_id,
            self.plan.seed,
            &self.plan.root,
            self.results.path().to_owned(),
            self.outcomes(),
        );
        summary.containers = self.results.run.containers.clone();
        summary.set_aside = self.results.run.set_aside.len();
        summary.measured = Measured::of(&self.results.path().join("tests"));
        if let LlmChoice::Replay { cassettes } = &self.plan.llm {
            summary.replayed = Some(cassettes.clone());
        }
        summary.slower =
            History::beside(self.results.path()).slower(self.plan.jobs, self.outcomes());
        let isolation = self.results.run.hermetic.as_ref();
        let attempts = isolation.and_then(Isolation::attempts);
        summary.attempts_to_leave = attempts.map(<[_]>::len);
        let facts = Facts {
            ending,
            tally: summary.tally,
            gaps: closed.gaps.clone(),
            forced_kills: closed.forced_kills,
            leftovers: closed.leftovers,
            attempts: attempts.unwrap_or_default(),
        };
        let (verdict, code, cause) = conclude(&facts);
        summary.forced_kills += closed.forced_kills;
        (
            summary.verdict,
            summary.exit_code,
            summary.cause,
            summary.leftovers,
        ) = (verdict, code as u8, cause, closed.leftovers);
        (summary, code)
    }

    fn write_end(&mut self, summary: &Summary) -> Result<()> {
        self.results.event(&Event::new("run-ended", summary))?;
        self.results.run.end(summary);
        self.results.write_run()?;
        self.results.write_summary(summary)?;
        self.remember();
        self.results.write_report()
    }

    /// Adds the run to the history. It is no part of the results: without it, they are whole.
    fn remember(&self) {
        let (run_id, began) = (&self.plan.run_id, &self.results.run.started_at);
        let mut history = History::beside(self.results.path());
        if let Err(error) = history.append(run_id, began, self.plan.jobs, self.outcomes()) {
            eprintln!("warning: {error:#}");
        }
    }

    fn show(&self, ending: &Ending, summary: &Summary) {
        match ending {
            Ending::Error(error) => self.output.error(error),
            Ending::Service(error) => report(self.output, error),
            Ending::Completed | Ending::Interrupted | Ending::Overdue { .. } => {}
        }
        // An error was shown whole just above.
        let is_told = matches!(ending, Ending::Error(_) | Ending::Service(_));
        self.output.line("");
        summary.show(self.output, is_told);
    }

    /// The results folder as the user would type it.
    fn shown_results(&self) -> String {
        let path = self.results.path();
        path.strip_prefix(&self.plan.root)
            .unwrap_or(path)
            .to_string()
    }
}
