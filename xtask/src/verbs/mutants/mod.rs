//! `cargo xtask mutants`: whether the suite notices what it promises to notice. Each fault of
//! `stack/fault` is armed in turn in a build that has them, and the tests that promise the opposite are
//! run: one of them has to be red.

mod table;
mod verdict;

use std::time::Instant;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;
use stigmer_e2e_plan::{
    ExitCode, Faults, LlmChoice, Output, Plan, Selection, Stack, Tier, Verb, columns, count,
    failure, write_atomically, write_json,
};

use self::{
    table::{MUTANTS, Mutant},
    verdict::{Fate, Row, page, table},
};
use crate::{
    build::build_with_faults, checkout::Checkout, driver::run_driver_quietly, flags::StackFlags,
    host::cargo, plan::Outline, prepare::prepare, verbs::repro::Outcome,
};

#[derive(Debug, Args)]
pub struct MutantsFlags {
    /// Which faults, as --list names them [default: all]
    pub faults: Vec<String>,

    /// Show the faults and the tests that are to notice them, and stop
    #[arg(long)]
    pub list: bool,

    /// How many tests run at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,

    /// Where results go: a folder that is new or empty [default: results/<run id>]
    #[arg(long, value_name = "DIR")]
    pub results: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct Verdicts<'a> {
    run_id: &'a str,
    /// How the same tests ended with no fault armed.
    control: &'a str,
    killed: usize,
    faults: &'a [Row],
}

/// Tries each fault; an unnoticed one ends with [`ExitCode::FaultSurvived`].
pub fn run(flags: &MutantsFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let mutants = chosen(&flags.faults)?;
    if flags.list {
        list(&mutants, output);
        return Ok(ExitCode::Success);
    }
    let begin = Instant::now();
    let (stack, compiled) = build_with_faults(checkout, &cargo()?)?;
    output.step("faults", "faults", ms(begin), &compiled);
    let base = prepare(outline(flags, checkout, output)?, checkout, output)?;
    let trial = Trial {
        plan: base.plan,
        driver: base.driver,
        stack,
    };

    let begin = Instant::now();
    let code = trial.run("control", None, &tests_of(&mutants))?;
    output.step(
        "control",
        "control",
        ms(begin),
        "no fault is armed: every test is green",
    );
    if code == ExitCode::Interrupted {
        return Ok(code);
    }
    if code != ExitCode::Success {
        let cause = format!(
            "with no fault armed the same tests end with exit code {}",
            code as u8
        );
        let fix = format!("see {}/control/summary.txt", trial.plan.results);
        return Err(failure(code, cause, fix));
    }
    let mut rows = Vec::new();
    for mutant in mutants {
        let begin = Instant::now();
        let code = trial.run(mutant.fault, Some(mutant.fault), mutant.tests)?;
        if code == ExitCode::Interrupted {
            return Ok(code);
        }
        let results = trial.results(mutant.fault);
        let fate = Fate::of(code, &Outcome::all(&results), trace(&results).exists());
        let row = Row::new(mutant, fate, ms(begin));
        output.step("mutant", mutant.fault, row.ms, &row.line());
        rows.push(row);
    }
    conclude(&trial.plan, &rows, output)
}

fn conclude(plan: &Plan, rows: &[Row], output: Output) -> Result<ExitCode> {
    let killed = rows
        .iter()
        .filter(|row| matches!(row.fate, Fate::Killed(_)));
    let killed = killed.count();
    let verdicts = Verdicts {
        run_id: &plan.run_id,
        control: "passed",
        killed,
        faults: rows,
    };
    write_json(&plan.results.join("mutants.json"), &verdicts)?;
    write_atomically(&plan.results.join("mutants.md"), page(rows).as_bytes())?;
    output.line(&format!("\n{}", table(rows)));
    output.line(&format!("results {}", plan.results));
    output.line(&format!(
        "{killed} of {} killed",
        count(rows.len(), "fault")
    ));
    output.object(&verdicts);
    Ok(match killed == rows.len() {
        true => ExitCode::Success,
        false => ExitCode::FaultSurvived,
    })
}

/// The faults of these names, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Mutant>> {
    if names.is_empty() {
        return Ok(MUTANTS.iter().collect());
    }
    let find = |name: &String| {
        let found = MUTANTS.iter().find(|mutant| mutant.fault == name.as_str());
        found.ok_or_else(|| {
            let cause = format!("there is no fault `{name}`");
            failure(
                ExitCode::Usage,
                cause,
                "`cargo xtask mutants --list` names them",
            )
        })
    };
    names.iter().map(find).collect()
}

fn list(mutants: &[&Mutant], output: Output) {
    let rows = mutants.iter().flat_map(|mutant| {
        output.object(&Listed {
            event: "fault",
            fault: mutant.fault,
            damage: mutant.damage,
            tests: mutant.tests,
        });
        let tests = mutant
            .tests
            .iter()
            .map(|test| vec![String::new(), (*test).to_owned()]);
        std::iter::once(vec![mutant.fault.to_owned(), mutant.damage.to_owned()]).chain(tests)
    });
    let rows: Vec<_> = rows.collect();
    output.line(columns(&rows).trim_end());
}

#[derive(Serialize)]
struct Listed {
    event: &'static str,
    fault: &'static str,
    damage: &'static str,
    tests: &'static [&'static str],
}

fn outline(flags: &MutantsFlags, checkout: &Checkout, output: Output) -> Result<Outline> {
    let stack = StackFlags {
        results: flags.results.clone(),
        ..StackFlags::again(LlmChoice::None)
    };
    Ok(Outline {
        verb: Verb::Run,
        jobs: usize::from(flags.jobs),
        keep: false,
        ..Outline::of_stack(&stack, checkout, output.json)?
    })
}

/// Every test that one of `mutants` names, once.
fn tests_of(mutants: &[&'static Mutant]) -> Vec<&'static str> {
    let mut tests: Vec<_> = mutants
        .iter()
        .flat_map(|mutant| mutant.tests)
        .copied()
        .collect();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// What the trials of all faults have in common.
struct Trial {
    plan: Plan,
    driver: Utf8PathBuf,
    stack: Stack,
}

impl Trial {
    /// Where the results of the trial `name` go.
    fn results(&self, name: &str) -> Utf8PathBuf {
        self.plan.results.join(name)
    }

    /// Runs `tests` with the fault `armed`.
    fn run(&self, name: &str, armed: Option<&str>, tests: &[&str]) -> Result<ExitCode> {
        let results = self.results(name);
        let plan = Plan {
            run_id: format!("{}-{name}", self.plan.run_id),
            stack: self.stack.clone(),
            faults: Some(Faults {
                armed: armed.map(str::to_owned),
                trace: trace(&results),
            }),
            selection: Selection {
                tier: Tier::Nightly,
                filters: tests.iter().map(|test| (*test).to_owned()).collect(),
                ..Selection::default()
            },
            json: false,
            results,
            ..self.plan.clone()
        };
        run_driver_quietly(&self.driver, &plan)
    }
}

/// Where a process writes that it came by its fault.
fn trace(results: &Utf8Path) -> Utf8PathBuf {
    results.join("fault.log")
}

fn ms(begin: Instant) -> u64 {
    // 2^64 milliseconds outlast any run.
    begin.elapsed().as_millis() as u64
}
