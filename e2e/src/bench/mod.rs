//! `cargo xtask bench`, after its run: what the tests measured becomes a table of medians with their
//! intervals, each beside its anchor, and a verdict against a baseline and against the last runs.
//!
//! `measured` reads a results folder, `row` does the statistics, `verdict` compares with the baseline and
//! with what `past` holds, `table` shows it. `load` does the same for `cargo xtask load`.

mod load;
mod measured;
mod past;
mod row;
mod table;
mod verdict;

#[cfg(test)]
mod tests;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use stigmer_e2e::baseline::Baseline;
use stigmer_e2e_plan::{ExitCode, Output, failure, write_atomically, write_json};

pub use self::load::{Flags as LoadFlags, load};
use self::{
    measured::Measured,
    past::Past,
    row::Row,
    verdict::{Judged, Measure as _, judge_all},
};

/// What to judge, and by what.
#[derive(Debug, Args)]
pub struct Flags {
    /// The results folder of the run that measured
    #[arg(long)]
    results: Utf8PathBuf,
    /// The baseline
    #[arg(long)]
    baseline: Utf8PathBuf,
    /// Make this run the baseline
    #[arg(long)]
    save_baseline: bool,
    /// How much slower counts, in per cent
    #[arg(long)]
    tolerance: f64,
    /// The results folder of a run of the whole suite
    #[arg(long)]
    suite: Option<Utf8PathBuf>,
    /// Also write the table as a page
    #[arg(long)]
    page: Option<Utf8PathBuf>,
}

/// Judges a run, and shows and keeps what came out.
///
/// # Errors
///
/// When nothing was measured, or a file cannot be read or written.
pub fn bench(flags: &Flags, output: Output, is_json: bool) -> Result<ExitCode> {
    let measured = Measured::of(&flags.results, flags.suite.as_deref())?;
    let rows: Vec<Row> = measured.benchmarks.iter().filter_map(Row::of).collect();
    if rows.is_empty() {
        return Err(failure(
            ExitCode::NothingRan,
            format!("no test of {} measured anything", flags.results),
            "run `cargo xtask bench`",
        ));
    }
    let baseline = Baseline::read(&flags.baseline)?;
    let mut past = Past::beside(&flags.results, &measured.origin.run_id);
    let judged = judge_all(rows, (&baseline, &past), flags.tolerance / 100.0);
    past.append(judged.iter().map(value))?;
    write_json(&flags.results.join("bench.json"), &judged)?;
    if flags.save_baseline {
        let of_run = baseline_of(&measured.origin.run_id, &judged);
        of_run.or(baseline).write(&flags.baseline)?;
    }
    if let Some(page) = &flags.page {
        write_atomically(page, table::page(&measured, &judged).as_bytes())?;
    }
    show(&judged, &flags.baseline, output, is_json);
    Ok(code(&judged))
}

/// The baseline that a run makes: without an anchor a number is of one machine, so it is not in it.
fn baseline_of(run_id: &str, judged: &[Judged]) -> Baseline {
    let anchored = judged.iter().filter(|it| it.row.beside.is_some());
    Baseline::of(run_id, anchored.map(value))
}

fn value(judged: &Judged) -> (String, f64) {
    (judged.row.name.clone(), judged.row.value())
}

fn code<M: verdict::Measure>(judged: &[Judged<M>]) -> ExitCode {
    match judged.iter().any(Judged::is_regression) {
        true => ExitCode::Regression,
        false => ExitCode::Success,
    }
}

fn show(judged: &[Judged], baseline: &Utf8Path, output: Output, is_json: bool) {
    if is_json {
        output.object(&json!({"event": "bench", "benchmarks": judged}));
        return;
    }
    print!("{}", table::text(judged));
    for line in judged.iter().flat_map(table::metrics) {
        println!("{line}");
    }
    let regressions: Vec<_> = judged.iter().filter(|it| it.is_regression()).collect();
    for it in &regressions {
        println!("REGRESSION {}: {}", it.row.name, it.reason());
    }
    if regressions.is_empty() {
        println!("no regression (baseline {baseline})");
    }
}
