//! `run`: services up, suite, results, services down.

use std::{thread::JoinHandle, time::Instant};

use anyhow::{Context, Result};
use serde_json::json;
use stigmer_e2e::{session::Session, supervise::reconcile};
use stigmer_e2e_plan::{
    ExitCode, Output, PhaseName, PhaseRecord, Plan, Style, count, failure, write_json,
};

use super::{
    board::Board,
    doctor,
    interrupt::Interrupt,
    leases,
    selection::{SuiteTest, select},
    shared::{Down, Shared, breakdown, finished, report},
    shuffle::Order,
    test_phase,
    verdict::{Ending, Facts, conclude},
};
use crate::results::{
    Coverage, Event, Provenance, Results, Scenario, Summary, TestOutcome, binaries_of, last_line,
    now,
};

/// Carries out `plan`. The last line on stdout is the tally.
pub async fn run(plan: Plan) -> Result<ExitCode> {
    let results = Results::create(&plan)?;
    let interrupt = Interrupt::listen(&plan.run_id, plan.results.clone())
        .context("failed to listen for signals")?;
    let mut run = Run {
        output: Output::new(plan.json),
        plan,
        results,
        interrupt,
        suite: Vec::new(),
        scenarios: Vec::new(),
        board: None,
    };
    let started =
        json!({"run_id": run.plan.run_id, "seed": run.plan.seed, "pid": std::process::id()});
    run.results.event(&Event::new("run-started", started))?;
    let mut shared = None;
    let ending = run
        .until_tested(&mut shared)
        .await
        .unwrap_or_else(Ending::Error);
    let closed = run.close(shared, &ending).await;
    Ok(run.conclude(ending, closed))
}

struct Run {
    plan: Plan,
    output: Output,
    results: Results,
    interrupt: Interrupt,
    scenarios: Vec<Scenario>,
    suite: Vec<SuiteTest>,
    board: Option<Board>,
}

/// What is known once everything is down.
#[derive(Default)]
struct Closed {
    forced_kills: usize,
    leftovers: Option<usize>,
    unknown_ids: usize,
    /// What went wrong meanwhile.
    error: Option<anyhow::Error>,
}

impl Run {
    /// The phases `doctor`, `up`, and `test`.
    async fn until_tested(&mut self, shared: &mut Option<Shared>) -> Result<Ending> {
        let selected = self.doctor().await?;
        let services = shared.insert(Shared::of(&self.plan)?);
        if let Some(ending) = self.up(services).await? {
            return Ok(ending);
        }
        self.test(&selected, services).await
    }

    async fn doctor(&mut self) -> Result<Vec<SuiteTest>> {
        let begin = Instant::now();
        let reconciled = reconcile(&leases(&self.plan.root))?;
        doctor::check_programs(&self.plan)?;
        doctor::check_given_model(&self.plan).await?;
        self.scenarios = doctor::acceptance(&self.plan.root)?;
        self.suite = doctor::list_tests(&self.plan.suite, &self.scenarios).await?;
        let selected = select(&self.suite, &self.plan.selection.filters, &self.scenarios);
        let selected = selected.map_err(|nothing| {
            failure(
                ExitCode::NothingRan,
                nothing.to_string(),
                "name an id, an area, or a part of a test's name",
            )
        })?;
        let mut summary = format!("{} of {}", selected.len(), count(self.suite.len(), "test"));
        if !reconciled.runs.is_empty() {
            summary.push_str(&format!(
                ", cleaned up after {}",
                count(reconciled.runs.len(), "dead run")
            ));
        }
        self.phase(PhaseName::Doctor, begin, summary)?;
        Ok(selected)
    }

    async fn up(&mut self, shared: &mut Shared) -> Result<Option<Ending>> {
        let begin = Instant::now();
        let started = tokio::select! {
            started = shared.up() => started,
            () = self.interrupt.asked() => return Ok(Some(Ending::Interrupted)),
        };
        let started = match started {
            Ok(started) => started,
            Err(error) => return Ok(Some(Ending::Service(error))),
        };
        for service in &started {
            self.results.event(&Event::new("service-ready", service))?;
        }
        let summary = breakdown(&started);
        self.results.run.services = started;
        let session = shared.session(&self.plan);
        self.results
            .write_file("session.json", &serde_json::to_vec_pretty(&session)?)?;
        if self.plan.keep {
            write_json(&Session::attached_file(&self.plan.root), &session)?;
        }
        self.phase(PhaseName::Up, begin, summary)?;
        Ok(None)
    }

    async fn test(&mut self, selected: &[SuiteTest], shared: &mut Shared) -> Result<Ending> {
        let begin = Instant::now();
        let provenance = self.gather_provenance();
        let names: Vec<_> = selected.iter().map(|test| test.path.clone()).collect();
        let order = Order::new(&names, self.plan.seed);
        self.results.run.order = order.names();
        self.board = Some(Board::new(selected, &order.names()));
        // So that even a run that is killed now has them.
        self.write_tests()?;
        let board = self.board.as_mut().expect("it was set above");
        let tested = test_phase::run(
            &self.plan,
            &mut self.results,
            board,
            selected,
            &order,
            &mut shared.supervisor,
            &mut self.interrupt,
        )
        .await;
        let tally = self.results.run.counts;
        let summary = format!(
            "{} · {} at once · seed {}",
            last_line(&tally),
            self.plan.jobs,
            self.plan.seed
        );
        self.phase(PhaseName::Test, begin, summary)?;
        self.results.run.provenance = Some(joined(provenance)?);
        tested
    }

    /// Hashing takes seconds when a binary is new: it is done while tests run.
    fn gather_provenance(&self) -> JoinHandle<Result<Provenance>> {
        let (root, binaries) = (self.plan.root.clone(), binaries_of(&self.plan));
        std::thread::spawn(move || {
            Provenance::gather(&root, binaries, &root.join("target/e2e/hashes.json"))
        })
    }

    /// The phases `collect` and `down`. Whatever goes wrong, everything is brought down.
    async fn close(&mut self, shared: Option<Shared>, ending: &Ending) -> Closed {
        let mut closed = Closed::default();
        match self.collect() {
            Ok(unknown_ids) => closed.unknown_ids = unknown_ids,
            Err(error) => closed.error = Some(error),
        }
        let Some(mut shared) = shared else {
            // Nothing was started.
            closed.leftovers = Some(0);
            return closed;
        };
        if self.plan.keep && matches!(ending, Ending::Completed) {
            self.wait_while_kept(&mut shared).await;
        }
        if let Err(error) = self.down(shared, &mut closed).await {
            closed.error.get_or_insert(error);
        }
        closed
    }

    /// Writes what can be said about the tests; returns how many ids in their names are unknown.
    fn collect(&mut self) -> Result<usize> {
        let begin = Instant::now();
        let unknown_ids = self.write_tests()?;
        self.phase(PhaseName::Collect, begin, self.shown_results())?;
        Ok(unknown_ids)
    }

    fn write_tests(&mut self) -> Result<usize> {
        let suite: Vec<_> = self
            .suite
            .iter()
            .map(|test| (test.path.clone(), test.ids.clone()))
            .collect();
        let outcomes = self.board.as_ref().map(Board::outcomes).unwrap_or_default();
        let coverage = Coverage::new(&self.scenarios, &suite, outcomes);
        self.results.write_coverage(&coverage)?;
        self.results.write_tests(outcomes)?;
        Ok(coverage.unknown.len())
    }

    async fn wait_while_kept(&mut self, shared: &mut Shared) {
        let session = shared.session(&self.plan);
        self.output.note(&format!(
            "kept: Temporal at {}; Ctrl-C or `cargo xtask down` ends it",
            session.temporal.address
        ));
        tokio::select! {
            _ = shared.supervisor.failed() => {}
            () = self.interrupt.asked() => {}
        }
    }

    async fn down(&mut self, shared: Shared, closed: &mut Closed) -> Result<()> {
        let Down {
            record,
            forced_kills,
            leftovers,
        } = shared.down(&self.plan).await?;
        closed.forced_kills = forced_kills;
        closed.leftovers = leftovers.as_ref().map(Vec::len);
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
    fn conclude(mut self, mut ending: Ending, mut closed: Closed) -> ExitCode {
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
        code
    }

    fn judge(&self, ending: &Ending, closed: &Closed) -> (Summary, ExitCode) {
        let mut summary = Summary::of(
            &self.plan.run_id,
            self.plan.seed,
            self.results.path().to_owned(),
            self.outcomes(),
        );
        let facts = Facts {
            ending,
            tally: summary.tally,
            unknown_ids: closed.unknown_ids,
            forced_kills: closed.forced_kills,
            leftovers: closed.leftovers,
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
        let run = &mut self.results.run;
        (run.verdict, run.exit_code, run.cause) = (
            summary.verdict,
            Some(summary.exit_code),
            summary.cause.clone(),
        );
        (run.counts, run.forced_kills, run.leftovers) =
            (summary.tally, summary.forced_kills, summary.leftovers);
        run.ended_at = Some(now());
        self.results.write_run()?;
        self.results.write_summary(summary)
    }

    fn show(&self, ending: &Ending, summary: &Summary) {
        match ending {
            Ending::Error(error) => self.output.error(error),
            Ending::Service(error) => report(self.output, error),
            Ending::Completed | Ending::Interrupted => {}
        }
        // An error was shown whole just above.
        let is_told = matches!(ending, Ending::Error(_) | Ending::Service(_));
        self.output.line("");
        for (name, value) in summary
            .lines()
            .into_iter()
            .filter(|(name, _)| !(is_told && *name == "cause"))
        {
            let value = match name {
                "verdict" if summary.exit_code == 0 => self.output.paint(Style::Green, &value),
                "verdict" => self.output.paint(Style::Red, &value),
                _ => value,
            };
            self.output.line(&format!("  {name:<10} {value}"));
        }
        self.output.object(&Event::new("summary", summary));
        self.output.line(&last_line(&summary.tally));
    }

    fn outcomes(&self) -> &[TestOutcome] {
        self.board.as_ref().map(Board::outcomes).unwrap_or_default()
    }

    /// The results folder as the user would type it.
    fn shown_results(&self) -> String {
        let path = self.results.path();
        path.strip_prefix(&self.plan.root)
            .unwrap_or(path)
            .to_string()
    }

    fn phase(&mut self, name: PhaseName, begin: Instant, summary: String) -> Result<()> {
        self.record(finished(name, begin, summary))
    }

    fn record(&mut self, record: PhaseRecord) -> Result<()> {
        self.output.phase(&record);
        self.results.event(&Event::new("phase", &record))?;
        self.results.run.phases.push(record);
        self.results.write_run()
    }
}

fn joined(gathering: JoinHandle<Result<Provenance>>) -> Result<Provenance> {
    gathering
        .join()
        .map_err(|_| anyhow::anyhow!("hashing the binaries panicked"))?
}
