//! `cargo xtask bench`, after its run: what the tests measured becomes a table of medians with their
//! intervals, each beside its anchor, and a verdict against a baseline and against the last runs.
//!
//! `measured` reads a results folder, `row` does the statistics, `verdict` compares, `baseline` and
//! `past` hold what is compared with, `table` shows it.

mod baseline;
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
use stigmer_e2e_plan::{ExitCode, Output, failure, write_atomically, write_json};

use self::{
    baseline::Baseline,
    measured::Measured,
    past::Past,
    row::Row,
    verdict::{Judged, judge},
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
    let past = Past::beside(&flags.results, &measured.run_id);
    let judged: Vec<Judged> = rows
        .into_iter()
        .map(|row| {
            let (base, last) = (baseline.value(&row.name), past.median(&row.name));
            judge(row, base, last, flags.tolerance / 100.0)
        })
        .collect();
    past.append(&measured.run_id, &judged)?;
    write_json(&flags.results.join("bench.json"), &judged)?;
    if flags.save_baseline {
        Baseline::of(&measured.run_id, &judged).write(&flags.baseline)?;
    }
    if let Some(page) = &flags.page {
        write_atomically(page, table::page(&measured, &judged).as_bytes())?;
    }
    show(&judged, &flags.baseline, output, is_json);
    let regressed = judged.iter().any(Judged::is_regression);
    Ok(match regressed {
        true => ExitCode::Regression,
        false => ExitCode::Success,
    })
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
