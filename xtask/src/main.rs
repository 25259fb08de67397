//! `cargo xtask <verb>`: the front door. Sees to everything that a run needs, then becomes the
//! driver, which carries the run out.

mod ask;
mod build;
mod cargo;
mod checkout;
mod contained;
mod doctor;
mod drift;
mod driver;
mod environment;
mod explain;
mod flags;
mod freshness;
mod host;
mod judging;
mod llm;
mod nix;
mod phases;
mod pins;
mod plan;
mod prepare;
mod progress;
mod projects;
mod provision;
mod retention;
mod revision;
mod run_id;
mod tools;
mod update;
mod verbs;

use clap::Parser;
use stigmer_e2e_plan::{ExitCode, Output, exit_code_of};

use crate::{
    checkout::Checkout,
    flags::{Flags, Verb},
    verbs::{
        archive, attached, bench, cassettes, chaos, culprit, doctor as doctor_verb, e2e, flaky,
        images, load, merge, mutants, nix_check, pins as pins_verb, polluter, report, repro, test,
        up,
    },
};

fn main() -> std::process::ExitCode {
    let flags = Flags::parse();
    let output = Output::new(flags.json);
    match run(flags.verb, output) {
        Ok(code) => code.into(),
        Err(error) => {
            output.error(&error);
            exit_code_of(&error).into()
        }
    }
}

fn run(verb: Verb, output: Output) -> anyhow::Result<ExitCode> {
    let checkout = Checkout::here()?;
    match verb {
        Verb::E2e(flags) => e2e::run(&flags, &checkout, output),
        Verb::Up(flags) => up::run(&flags, &checkout, output),
        Verb::Images(flags) => images::run(&flags, &checkout, output),
        Verb::Down => attached::down(&checkout, output),
        Verb::Status => attached::status(&checkout, output),
        Verb::Logs(flags) => attached::logs(&flags, &checkout, output),
        Verb::Doctor { fix } => doctor_verb::run(fix, &checkout, output),
        Verb::Test(flags) => test::run(&flags, &checkout, output),
        Verb::NixCheck { build } => nix_check::run(build, &checkout, output),
        Verb::Pins(verb) => pins_verb::run(verb, &checkout, output),
        Verb::Cassettes(verb) => cassettes::run(&verb, &checkout, output),
        Verb::Report(flags) => report::run(&flags, &checkout, output),
        Verb::Bench(flags) => bench::run(&flags, &checkout, output),
        Verb::Load(flags) => load::run(&flags, &checkout, output),
        Verb::Chaos(flags) => chaos::run(&flags, &checkout, output),
        Verb::Mutants(flags) => mutants::run(&flags, &checkout, output),
        Verb::Flaky(flags) => flaky::run(&flags, &checkout, output),
        Verb::Culprit(flags) => culprit::run(&flags, &checkout, output),
        Verb::Merge(flags) => merge::run(&flags, &checkout, output),
        Verb::Archive(verb) => archive::run(verb, &checkout, output),
        Verb::Polluter(flags) => polluter::run(&flags, &checkout, output),
        Verb::Repro(flags) => repro::run(&flags, &checkout, output),
    }
}
