//! Format, lints, dependencies, pins, workflows, the flake, unit tests, and doc tests.

use std::{process::Output as Ended, time::Instant};

use anyhow::Result;
use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, Output, exit_code_of};
use stigmer_e2e_report::browser;
use xshell::{Shell, cmd};

use super::tally::Tally;
use crate::{
    ask::ask,
    build::SELECTION,
    cargo::{JSON, run_cargo},
    checkout::Checkout,
    drift::compare,
    environment::as_the_user,
    pins::Pins,
    plan::in_ci,
    verbs::nix_check,
};

/// How a check ended.
pub enum Verdict {
    /// It holds; in a few words.
    Holds(String),
    /// It does not, and this is what was printed about it.
    Fails(String),
    /// Tests ran, with this to show if any failed.
    Tested(Tally, String),
    /// The tool for it is missing: why, and how to get it.
    NotRun(String),
    /// It needs what not every machine has: why it was skipped, which only CI does not forgive.
    Skipped(String),
}

/// Checks that have run.
pub struct Checks {
    output: Output,
    allow_skip: bool,
    /// The code of the first check that failed.
    pub code: Option<ExitCode>,
    /// Tests that have run.
    pub tally: Tally,
}

impl Checks {
    /// No check has run yet.
    pub fn new(output: Output, allow_skip: bool) -> Self {
        Self {
            output,
            allow_skip,
            code: None,
            tally: Tally::default(),
        }
    }

    /// Runs a check, shows how it ended, and remembers if it failed.
    pub fn run(
        &mut self,
        name: &'static str,
        check: impl FnOnce() -> Result<Verdict>,
    ) -> Result<()> {
        let start = Instant::now();
        let verdict = check()?;
        let (summary, printed, code) = match verdict {
            Verdict::Holds(summary) => (summary, String::new(), None),
            Verdict::Fails(printed) => ("failed".to_owned(), printed, Some(ExitCode::ChecksFailed)),
            Verdict::Tested(tally, printed) => {
                self.tally = self.tally + tally;
                let failed = !printed.is_empty() || tally.failed > 0;
                (
                    tally.to_string(),
                    printed,
                    failed.then_some(ExitCode::ChecksFailed),
                )
            }
            Verdict::NotRun(why) => {
                let code = (!self.allow_skip).then_some(ExitCode::PrerequisiteMissing);
                (format!("not run: {why}"), String::new(), code)
            }
            Verdict::Skipped(why) => {
                self.tally = self.tally + Tally::SKIPPED;
                let code = in_ci().then_some(ExitCode::PrerequisiteMissing);
                (format!("skipped: {why}"), String::new(), code)
            }
        };
        if !printed.is_empty() {
            eprintln!("{}", printed.trim_end());
        }
        // 2^64 milliseconds outlast any check.
        self.output
            .step("check", name, start.elapsed().as_millis() as u64, &summary);
        self.code = self.code.or(code);
        Ok(())
    }
}

/// Every file is formatted.
pub fn format(sh: &Shell, cargo: &Utf8Path) -> Result<Verdict> {
    if let Some(missing) = without_component(cargo, "rustfmt", "fmt") {
        return Ok(missing);
    }
    let ended = quietly(cmd!(sh, "{cargo} fmt --all --check -- -l"))?;
    Ok(if ended.status.success() {
        Verdict::Holds("clean".into())
    } else {
        Verdict::Fails(format!(
            "{}\n`cargo fmt --all` corrects this",
            printed(&ended)
        ))
    })
}

/// The compiler and clippy have nothing to say.
pub fn lints(sh: &Shell, cargo: &Utf8Path) -> Result<Verdict> {
    if let Some(missing) = without_component(cargo, "clippy", "clippy") {
        return Ok(missing);
    }
    let all = ["--workspace", "--all-targets", "--keep-going"];
    let clippy = cmd!(
        sh,
        "{cargo} clippy --locked {all...} {JSON} -- --deny warnings"
    );
    built(run_cargo(clippy).map(drop))
}

/// The unit tests of every member, and the integration tests that need no services.
pub fn unit_tests(sh: &Shell, cargo: &Utf8Path, nextest: &Utf8Path) -> Result<Verdict> {
    let stack = (SELECTION.as_slice(), "not binary_id(stigmer-e2e::suite)");
    let xtask = (["--package", "xtask"].as_slice(), "all()");
    let (mut tally, mut shown) = (Tally::default(), String::new());
    for (selection, tests) in [stack, xtask] {
        let compile = cmd!(sh, "{cargo} test --no-run --locked {selection...} {JSON}");
        if let failed @ Verdict::Fails(_) = built(run_cargo(compile).map(drop))? {
            return Ok(failed);
        }
        let (ran, failures) = tested(sh, nextest, selection, tests)?;
        tally = tally + ran;
        shown.push_str(&failures);
    }
    Ok(Verdict::Tested(tally, shown))
}

/// The report in a browser, as a reader has it.
pub fn report(sh: &Shell, nextest: &Utf8Path) -> Result<Verdict> {
    if let Err(missing) = browser::find() {
        return Ok(Verdict::Skipped(missing.to_string()));
    }
    let of_report = "binary_id(stigmer-e2e-report::report)";
    let selection = [&SELECTION[..], &["--run-ignored=only", "--test-threads=2"]].concat();
    let (tally, shown) = tested(sh, nextest, &selection, of_report)?;
    // Those that need no browser were among the unit tests.
    let tally = Tally {
        skipped: 0,
        ..tally
    };
    Ok(Verdict::Tested(tally, shown))
}

/// Runs `tests`, a filter of nextest's, of the packages in `selection`; also returns what to show.
fn tested(
    sh: &Shell,
    nextest: &Utf8Path,
    selection: &[&str],
    tests: &str,
) -> Result<(Tally, String)> {
    let run = cmd!(
        sh,
        "{nextest} nextest run --locked {selection...} -E {tests}"
    )
    .args(["--cargo-quiet", "--no-fail-fast", "--no-tests=pass"])
    .args(["--status-level=fail", "--final-status-level=none"])
    // The only form of its results for programs, and still called experimental.
    .arg("--message-format=libtest-json")
    .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1");
    let ended = quietly(run)?;
    let shown = match ended.status.success() {
        true => String::new(),
        false => String::from_utf8_lossy(&ended.stderr).into_owned(),
    };
    Ok((
        Tally::of_nextest(&String::from_utf8_lossy(&ended.stdout)),
        shown,
    ))
}

/// The examples in the documentation.
pub fn doc_tests(sh: &Shell, cargo: &Utf8Path) -> Result<Verdict> {
    let ended = quietly(cmd!(sh, "{cargo} test --doc --locked {SELECTION...}"))?;
    let tally = Tally::of_libtest(&String::from_utf8_lossy(&ended.stdout));
    let shown = if ended.status.success() {
        String::new()
    } else {
        printed(&ended)
    };
    Ok(Verdict::Tested(tally, shown))
}

/// Licences, versions, and sources of all dependencies are as `deny.toml` allows. Known weaknesses of
/// them are looked up nowhere: that needs the network.
pub fn dependencies(sh: &Shell, cargo: &Utf8Path, deny: &Utf8Path) -> Result<Verdict> {
    // It reads the packages of every platform; the build has fetched this one's only.
    let fetched = quietly(cmd!(sh, "{cargo} fetch --locked --quiet"))?;
    if !fetched.status.success() {
        return Ok(Verdict::Fails(printed(&fetched)));
    }
    let checks = ["licenses", "bans", "sources"];
    let check = cmd!(
        sh,
        "{deny} --offline --locked check --hide-inclusion-graph {checks...}"
    );
    let ended = quietly(check.env("CARGO", cargo))?;
    Ok(if ended.status.success() {
        Verdict::Holds(format!("{} ok", checks.join(", ")))
    } else {
        Verdict::Fails(printed(&ended))
    })
}

/// The workflows of CI are valid, and no looser than they need to be.
pub fn workflows(sh: &Shell, zizmor: &Utf8Path) -> Result<Verdict> {
    let check = cmd!(
        sh,
        "{zizmor} --offline --quiet --no-progress --color=never .github/workflows"
    );
    let ended = quietly(check)?;
    Ok(if ended.status.success() {
        Verdict::Holds("clean".into())
    } else {
        Verdict::Fails(printed(&ended))
    })
}

/// Every file that names something pinned names the same as `pins.json`.
pub fn pins(checkout: &Checkout, cargo: &Utf8Path) -> Result<Verdict> {
    let agreements = compare(checkout, &Pins::read(&checkout.root)?, cargo)?;
    let files = agreements.len();
    let drifted = agreements.into_iter().flat_map(|it| {
        let file = it.file;
        it.drifted
            .into_iter()
            .map(move |how| format!("{file} {how}"))
    });
    let drifted: Vec<_> = drifted.collect();
    Ok(if drifted.is_empty() {
        Verdict::Holds(format!("{files} files in step"))
    } else {
        Verdict::Fails(drifted.join("\n"))
    })
}

/// The flake parses, is locked, and evaluates, as far as Nix is here to say so.
pub fn flake(checkout: &Checkout) -> Result<Verdict> {
    match nix_check::in_words(checkout) {
        Ok(summary) => Ok(Verdict::Holds(summary)),
        Err(error) if exit_code_of(&error) == ExitCode::ChecksFailed => {
            Ok(Verdict::Fails(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

fn built(result: Result<()>) -> Result<Verdict> {
    match result {
        Ok(()) => Ok(Verdict::Holds("clean".into())),
        // What was wrong has been shown as it was found.
        Err(error) if exit_code_of(&error) == ExitCode::BuildFailed => {
            Ok(Verdict::Fails(String::new()))
        }
        Err(error) => Err(error),
    }
}

fn without_component(cargo: &Utf8Path, component: &str, verb: &str) -> Option<Verdict> {
    ask(cargo.as_str(), [verb, "--version"]).err().map(|_| {
        Verdict::NotRun(format!(
            "{component} is missing (rustup component add {component})"
        ))
    })
}

fn quietly(command: xshell::Cmd<'_>) -> Result<Ended> {
    Ok(as_the_user(command).quiet().ignore_status().output()?)
}

fn printed(ended: &Ended) -> String {
    let printed = [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    printed.concat().trim_end().to_owned()
}
