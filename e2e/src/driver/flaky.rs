//! `flaky`: the same tests in round after round, each a run of its own with services, environments,
//! seed, and results of its own, until there is enough evidence.

mod load;
mod polluter;
mod trial;

use std::fs;

use anyhow::{Context as _, Result};
use stigmer_e2e::rng::SplitMix64;
use stigmer_e2e_flakes::{Circumstances, Entry, FlakyPlan, Report, Round, Stop, Store, StressUsed};
use stigmer_e2e_plan::{ExitCode, Output, Style, failure, write_atomically, write_json};

use self::{load::Loads, trial::Trial};
use super::interrupt::Interrupt;
use crate::results::{Event, junit_of_rounds, now};

pub use load::stress;
pub use polluter::polluter;

/// Seeds are short enough to be typed again.
const SEEDS: u64 = 1_000_000;
/// What a green round leaves; its tests' folders would fill the disk.
const PRUNED: [&str; 4] = ["tests", "services", "nextest", "projects"];

/// Makes rounds until the plan's rule is met, something else ends them, or a signal asks to stop. What
/// has been found is in `flaky.json` after every round. The exit code is 0 only if every round passed.
pub async fn flaky(plan: FlakyPlan) -> Result<ExitCode> {
    let mut interrupt = Interrupt::listen(&plan.run.run_id, plan.run.results.clone())
        .context("failed to listen for signals")?;
    let loads = Loads::start(&plan)?;
    let mut flaky = Flaky {
        output: Output::new(plan.run.json),
        started_at: now(),
        seeds: SplitMix64::new(plan.run.seed),
        rounds: Vec::new(),
        loads,
        plan,
    };
    let ended = flaky.rounds(&mut interrupt).await;
    let used = flaky.loads.stop().await;
    flaky.conclude(ended?, used)
}

struct Flaky {
    plan: FlakyPlan,
    output: Output,
    started_at: String,
    seeds: SplitMix64,
    rounds: Vec<Round>,
    loads: Loads,
}

/// Why the rounds ended, other than by their rule.
type Early = Option<(ExitCode, String)>;

impl Flaky {
    async fn rounds(&mut self, interrupt: &mut Interrupt) -> Result<Early> {
        loop {
            let (number, seed) = (self.rounds.len() as u64 + 1, self.seeds.next_u64() % SEEDS);
            let mut trial = Trial::start(&self.plan.run, "rounds", number, |run| run.seed = seed)?;
            let (code, ms) = tokio::select! {
                ended = trial.ended() => ended,
                () = interrupt.asked() => {
                    trial.abort().await?;
                    return Ok(Some((ExitCode::Interrupted, "stopped by a signal".to_owned())));
                }
            };
            self.loads.still_there()?;
            let read = Round::read(number, seed, trial.folder(), code as u8, ms);
            let round = read.with_context(|| trial.last_words())?;
            if !is_verdict(code) {
                let cause = round.cause.clone().unwrap_or_else(|| trial.last_words());
                return Ok(Some((code, format!("round {number}: {cause}"))));
            }
            self.show(&round);
            if !round.is_red() && !self.plan.run.keep {
                prune(&round)?;
            }
            self.rounds.push(round);
            let report = self.report();
            self.write(&report)?;
            if report.stop != Stop::NotYet {
                return Ok(None);
            }
        }
    }

    fn report(&self) -> Report {
        let run = &self.plan.run;
        let first = self.rounds.first().map(|round| round.folder.as_path());
        let circumstances = Circumstances::read(first.unwrap_or(&run.results), &self.plan.stress);
        Report::of(
            &run.run_id,
            &self.started_at,
            run.seed,
            circumstances,
            (self.plan.stop, self.plan.gate),
            &self.rounds,
        )
    }

    fn write(&self, report: &Report) -> Result<()> {
        let folder = &self.plan.run.results;
        write_json(&folder.join("flaky.json"), report)?;
        let xml = junit_of_rounds(&self.plan.run.run_id, &self.rounds);
        let xml = xml.context("failed to encode junit.xml")?;
        write_atomically(&folder.join("junit.xml"), xml.as_bytes())?;
        let lines = report.lines().into_iter();
        let lines: String = lines
            .map(|(name, value)| format!("{name:<10} {value}\n"))
            .collect();
        let text = format!("{}\n{lines}", report.table());
        write_atomically(&folder.join("flaky.txt"), text.as_bytes())
    }

    fn show(&self, round: &Round) {
        let red: Vec<_> = round
            .executions
            .iter()
            .filter(|execution| execution.is_red())
            .map(|execution| crate::results::function(&execution.name))
            .collect();
        let name = format!("{}/{}", round.number, self.plan.stop.at_most());
        let told = match (&red[..], &round.cause) {
            ([], None) => format!("{} passed", round.executions.len()),
            ([], Some(cause)) => cause.clone(),
            (red, _) => format!("failed: {}", red.join(", ")),
        };
        let summary = format!("seed {} · {told}", round.seed);
        self.output.step("round", &name, round.ms, &summary);
    }

    /// Writes, remembers, and shows what was found.
    fn conclude(self, early: Early, used: Vec<StressUsed>) -> Result<ExitCode> {
        if let (Some((code, cause)), []) = (&early, &self.rounds[..])
            && *code != ExitCode::Interrupted
        {
            let log = self.plan.run.results.join("rounds");
            return Err(failure(*code, cause, format!("its folder is below {log}")));
        }
        let mut report = self.report();
        report.stress = used;
        if let Some((code, cause)) = early {
            report = report.ended_by(code, cause);
        }
        self.write(&report)?;
        if !self.rounds.is_empty() {
            let folder = self.plan.run.results.parent().unwrap_or("/".as_ref());
            Store::read(folder).append(Entry::of(&report))?;
        }
        self.output.line("");
        self.output.line(report.table().trim_end());
        self.output.line("");
        let verdict = match report.exit_code {
            0 => self.output.paint(Style::Green, "no round was red"),
            _ => self.output.paint(Style::Red, "not clean"),
        };
        self.output.line(&format!("  {:<10} {verdict}", "verdict"));
        for (name, value) in report.lines() {
            self.output.line(&format!("  {name:<10} {value}"));
        }
        self.output
            .line(&format!("  {:<10} {}", "results", self.plan.run.results));
        self.output.object(&Event::new("flaky", &report));
        Ok(ExitCode::of(Some(report.exit_code.into())))
    }
}

/// Whether a run that ended so says something about the tests; any other could not be made.
fn is_verdict(code: ExitCode) -> bool {
    matches!(
        code,
        ExitCode::Success | ExitCode::TestsFailed | ExitCode::Leftovers | ExitCode::ServiceFailed
    )
}

fn prune(round: &Round) -> Result<()> {
    for name in PRUNED {
        let folder = round.folder.join(name);
        if folder.is_dir() {
            fs::remove_dir_all(&folder).with_context(|| format!("failed to remove {folder}"))?;
        }
    }
    Ok(())
}
