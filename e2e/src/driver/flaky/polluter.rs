//! `polluter`: which earlier tests make a test fail. Each question is a run of its own: the chosen tests
//! and then the victim, one at a time, in the recorded order, on one shared Temporal.

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use serde::Serialize;
use stigmer_e2e_flakes::{PolluterPlan, Round, minimise};
use stigmer_e2e_plan::{ExitCode, Output, Selection, count, failure, write_json};

use super::{is_verdict, trial::Trial};
use crate::{
    driver::interrupt::Interrupt,
    results::{Event, function},
};

/// `polluter.json`: what was found.
#[derive(Debug, Serialize)]
struct Found {
    /// The test that fails.
    victim: String,
    /// The tests without any of which it passes, in their order.
    polluters: Vec<String>,
    /// How many runs that took.
    runs: u64,
    /// The results folder of the smallest run in which it failed.
    folder: Option<Utf8PathBuf>,
    /// What that means, in one line.
    answer: String,
}

struct Search {
    plan: PolluterPlan,
    output: Output,
    interrupt: Interrupt,
    runs: u64,
    /// The last run in which the victim failed.
    failed_in: Option<Utf8PathBuf>,
}

/// Finds the fewest earlier tests of `plan` after which the victim fails. The exit code is 0 when some
/// were found, and [`ExitCode::TestsFailed`] when the answer is another one: it fails alone, or not at
/// all.
pub async fn polluter(plan: PolluterPlan) -> Result<ExitCode> {
    let interrupt = Interrupt::listen(&plan.run.run_id, plan.run.results.clone())
        .context("failed to listen for signals")?;
    let mut search = Search {
        output: Output::new(plan.run.json),
        plan,
        interrupt,
        runs: 0,
        failed_in: None,
    };
    let earlier = search.plan.earlier.clone();
    if search.fails(&[]).await? {
        let answer = "it fails alone: no earlier test is needed".to_owned();
        return search.conclude(Vec::new(), answer);
    }
    if earlier.is_empty() || !search.fails(&earlier).await? {
        let answer = format!(
            "it did not fail after all {} in {} tries, one test at a time: the order is not the cause, or \
             not alone",
            count(earlier.len(), "earlier test"),
            search.plan.tries
        );
        return search.conclude(Vec::new(), answer);
    }
    let mut minimised = minimise(earlier);
    while let Some(trial) = minimised.trial() {
        let fails = search.fails(&trial).await?;
        minimised.answer(fails);
    }
    let polluters = minimised.culprits().to_vec();
    let names: Vec<_> = polluters.iter().map(|path| function(path)).collect();
    let answer = format!("it fails after {}", names.join(" and then "));
    search.conclude(polluters, answer)
}

impl Search {
    /// Whether the victim fails after `earlier` in one of the tries.
    async fn fails(&mut self, earlier: &[String]) -> Result<bool> {
        let victim = self.plan.victim.clone();
        let exactly: Vec<_> = earlier.iter().cloned().chain([victim.clone()]).collect();
        for _ in 0..self.plan.tries {
            self.runs += 1;
            let selection = Selection {
                exactly: exactly.clone(),
                ..Selection::default()
            };
            let mut trial = Trial::start(&self.plan.run, "trials", self.runs, |run| {
                (run.jobs, run.selection) = (1, selection);
            })?;
            let (code, ms) = tokio::select! {
                ended = trial.ended() => ended,
                () = self.interrupt.asked() => {
                    trial.abort().await?;
                    let fix = "start it again";
                    return Err(failure(ExitCode::Interrupted, "stopped by a signal", fix));
                }
            };
            let seed = self.plan.run.seed;
            let round = Round::read(self.runs, seed, trial.folder(), code as u8, ms);
            let round = round.with_context(|| trial.last_words())?;
            if !is_verdict(code) {
                let cause = round.cause.clone().unwrap_or_else(|| trial.last_words());
                return Err(failure(code, cause, format!("look at {}", round.folder)));
            }
            let end = round.executions.iter().find(|it| it.name == victim);
            let end = end.with_context(|| format!("{victim} did not run in {}", round.folder))?;
            let told = format!("after {}: {}", count(earlier.len(), "test"), end.verdict);
            self.output.step("trial", &self.runs.to_string(), ms, &told);
            if end.is_red() {
                self.failed_in = Some(round.folder);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn conclude(self, polluters: Vec<String>, answer: String) -> Result<ExitCode> {
        let code = match polluters.as_slice() {
            [] => ExitCode::TestsFailed,
            _ => ExitCode::Success,
        };
        let found = Found {
            victim: self.plan.victim,
            polluters,
            runs: self.runs,
            folder: self.failed_in,
            answer,
        };
        let results = &self.plan.run.results;
        write_json(&results.join("polluter.json"), &found)?;
        let line = |name: &str, value: &str| self.output.line(&format!("  {name:<10} {value}"));
        line("victim", function(&found.victim));
        line("answer", &found.answer);
        line("runs", &found.runs.to_string());
        if let Some(folder) = &found.folder {
            line("again", &format!("cargo xtask repro {folder} --whole"));
        }
        line("results", results.as_str());
        self.output.object(&Event::new("polluter", &found));
        Ok(code)
    }
}
