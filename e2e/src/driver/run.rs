//! `run`: services up, suite, results, services down.

mod close;

use std::{thread::JoinHandle, time::Instant};

use anyhow::{Context, Result};
use serde_json::json;
use stigmer_e2e::session::Session;
use stigmer_e2e_plan::{
    ExitCode, Output, PhaseName, PhaseRecord, Plan, count, failure, write_json,
};

use super::{
    attached::attached,
    board::Board,
    containers, doctor,
    fit::{Place, fit},
    hermetic::Border,
    interrupt::Interrupt,
    keeper::already_up,
    own_program,
    programs::clean_up,
    reach::agent_runner_reaches,
    selection::{SuiteTest, cut, select},
    shared::{Shared, breakdown, finished},
    shuffle::Order,
    test_phase, tripwires,
    verdict::{Ending, Gaps},
};
use crate::results::{
    ContainersRecord, Coverage, Event, Fixtures, History, Provenance, Results, Scenario,
    TestOutcome, Uses, last_line, programs_of, sbom,
};

/// Carries out `plan`. The last line on stdout is the tally.
pub async fn run(plan: Plan, border: Border) -> Result<ExitCode> {
    let mut results = Results::create(&plan)?;
    results.run.hermetic = border.record();
    results.write_run()?;
    let interrupt = Interrupt::listen(&plan.run_id, plan.results.clone())
        .context("failed to listen for signals")?;
    let mut run = Run {
        output: Output::new(plan.json),
        plan,
        results,
        interrupt,
        suite: Vec::new(),
        scenarios: Vec::new(),
        fixtures: Vec::new(),
        board: None,
        services_of_given: None,
        border,
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
    /// The ids of the manifest.
    fixtures: Vec<String>,
    suite: Vec<SuiteTest>,
    board: Option<Board>,
    /// How many services the server of somebody else offers, if one was given.
    services_of_given: Option<usize>,
    /// Between this run and every other machine.
    border: Border,
}

impl Run {
    /// The phases `up` and `test`, and what must hold before them.
    async fn until_tested(&mut self, shared: &mut Option<Shared>) -> Result<Ending> {
        let selected = self.prepare().await?;
        tripwires::set(&self.plan, &mut self.results)?;
        let begin = Instant::now();
        let (containers, record) = containers::prepare(&self.plan).await?.unzip();
        self.results.run.containers = record;
        let services = shared.insert(Shared::of(&self.plan, containers)?);
        if let Some(ending) = self.up(services, begin).await? {
            return Ok(ending);
        }
        self.test(&selected, services).await
    }

    /// What `xtask` cannot check: that dead runs are over, that the model of somebody else is there,
    /// and which tests there are. Returns the selected ones.
    async fn prepare(&mut self) -> Result<Vec<SuiteTest>> {
        if self.plan.keep && attached(&self.plan.root).is_some() {
            return Err(already_up(
                "a stack is up already, and a kept one would take its place",
            ));
        }
        let reconciled = clean_up(&self.plan.root)?;
        if !reconciled.runs.is_empty() {
            let runs = count(reconciled.runs.len(), "dead run");
            let killed = reconciled.killed;
            self.output
                .note(&format!("cleaned up after {runs} ({killed} killed)"));
        }
        doctor::check_programs(&self.plan)?;
        doctor::check_faults(&self.plan)?;
        doctor::check_given_model(&self.plan).await?;
        self.services_of_given = doctor::check_given_server(&self.plan).await?;
        self.scenarios = doctor::acceptance(&self.plan.root)?;
        self.fixtures = doctor::fixtures(&self.plan.root)?;
        let selection = &self.plan.selection;
        self.suite = doctor::list_tests(&self.plan.suite, &self.scenarios, selection).await?;
        let selected = select(&self.suite, &self.plan.selection, &self.scenarios);
        let selected = selected.map_err(|nothing| {
            let fix = match nothing.later_tier {
                Some(tier) => format!("add `--tier {tier}`"),
                None => "name an id, an area, or a part of a test's name".to_owned(),
            };
            failure(ExitCode::NothingRan, nothing.to_string(), fix)
        })?;
        let counts = json!({"selected": selected.len(), "suite": self.suite.len()});
        self.results.event(&Event::new("tests-listed", counts))?;
        let selected = self.fit_for_plan(selected)?;
        self.own_part(selected)
    }

    /// What of `selected` can be run on what the plan has; what cannot is written down.
    fn fit_for_plan(&mut self, selected: Vec<SuiteTest>) -> Result<Vec<SuiteTest>> {
        let place = Place {
            runtime: &self.plan.runtime,
            server: self.plan.server.as_ref(),
        };
        let (selected, aside) = fit(selected, place)?;
        self.results.run.set_aside = aside;
        Ok(selected)
    }

    /// What of `selected` is to be run here: all, or a shard.
    fn own_part(&mut self, selected: Vec<SuiteTest>) -> Result<Vec<SuiteTest>> {
        let Some(shard) = self.plan.selection.shard else {
            return Ok(selected);
        };
        let times = match &self.plan.selection.times {
            Some(file) => History::read(file)?.times(),
            None => History::beside(self.results.path()).times(),
        };
        let own = cut(&selected, shard, &times);
        self.results.run.shard_of = selected.into_iter().map(|test| test.path).collect();
        if own.is_empty() {
            let cause = format!("there is no test for shard {shard}");
            return Err(failure(ExitCode::NothingRan, cause, "cut fewer shards"));
        }
        Ok(own)
    }

    async fn up(&mut self, shared: &mut Shared, begin: Instant) -> Result<Option<Ending>> {
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
        let containers = self.results.run.containers.as_ref();
        let containers = containers.map(ContainersRecord::summary);
        let given = self.plan.server.as_ref().zip(self.services_of_given);
        let given = given.map(|(server, offered)| {
            format!(
                "none started · server {server}: {}",
                count(offered, "service")
            )
        });
        let up = given.unwrap_or_else(|| breakdown(&started));
        let summary = containers.into_iter().chain([up]);
        let summary = summary.collect::<Vec<_>>().join(" · ");
        self.results.run.services = started;
        let session = shared.session(&self.plan);
        self.results
            .write_file("session.json", &serde_json::to_vec_pretty(&session)?)?;
        if self.plan.keep {
            write_json(&Session::attached_file(&self.plan.root), &session)?;
        }
        if let Some(model) = &session.llm {
            agent_runner_reaches(&self.plan, session.containers.as_ref(), model).await?;
        }
        self.phase(PhaseName::Up, begin, summary)?;
        Ok(None)
    }

    async fn test(&mut self, selected: &[SuiteTest], shared: &mut Shared) -> Result<Ending> {
        let begin = Instant::now();
        let provenance = self.gather_provenance()?;
        let names: Vec<_> = selected.iter().map(|test| test.path.clone()).collect();
        let order = match self.plan.selection.exactly.is_empty() {
            true => Order::new(&names, self.plan.seed),
            false => Order::given(names),
        };
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
        let (tests, all) = (selected.len(), self.suite.len());
        let tests = if tests == all {
            String::new()
        } else {
            format!("{tests} of {all}: ")
        };
        let (jobs, seed) = (self.plan.jobs, self.plan.seed);
        let summary = format!(
            "{tests}{} · {jobs} at once · seed {seed}",
            last_line(&tally)
        );
        self.phase(PhaseName::Test, begin, summary)?;
        self.write_provenance(joined(provenance)?)?;
        tested
    }

    /// Writes what was run: into `run.json`, and as a bill of materials.
    fn write_provenance(&mut self, provenance: Provenance) -> Result<()> {
        let file = self.plan.root.join("Cargo.lock");
        let lock =
            std::fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))?;
        let bill = sbom(
            &self.results.run.started_at,
            &provenance,
            &self.plan.pins,
            &lock,
        );
        self.results
            .write_file("sbom.cdx.json", &serde_json::to_vec_pretty(&bill)?)?;
        self.results.run.provenance = Some(provenance);
        Ok(())
    }

    /// Hashing takes seconds when a binary is new: it is done while tests run.
    fn gather_provenance(&self) -> Result<JoinHandle<Result<Provenance>>> {
        let root = self.plan.root.clone();
        let programs = programs_of(&self.plan, &own_program()?);
        Ok(std::thread::spawn(move || {
            Provenance::gather(&root, programs, &root.join("target/e2e/hashes.json"))
        }))
    }

    /// Writes what can be said about the tests; returns what the tests should have and do not.
    fn write_tests(&mut self) -> Result<Gaps> {
        let suite: Vec<_> = self
            .suite
            .iter()
            .map(|test| (test.path.clone(), test.ids.clone()))
            .collect();
        let outcomes = self.board.as_ref().map(Board::outcomes).unwrap_or_default();
        let tests = self.results.path().join("tests");
        let fixtures = Fixtures::read(&self.fixtures, outcomes, &tests);
        let unproven_fixtures = match self.plan.selection.is_whole() && self.plan.server.is_none() {
            true => fixtures.unproven(),
            // A selection need not have a test of each, and what only reads has none.
            false => Vec::new(),
        };
        let coverage = Coverage::new(&self.scenarios, &suite, outcomes)
            .with_fixtures(fixtures)
            .with_uses(Uses::read(&tests));
        self.results.write_coverage(&coverage)?;
        self.results.write_tests(outcomes)?;
        Ok(Gaps {
            unknown_ids: coverage.unknown.len(),
            unproven_fixtures,
        })
    }

    fn outcomes(&self) -> &[TestOutcome] {
        self.board.as_ref().map(Board::outcomes).unwrap_or_default()
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
