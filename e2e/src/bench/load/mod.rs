//! `cargo xtask load`, after its run: what each mix came to at each level, where the knee is, and whether
//! a limit is broken.

mod table;

#[cfg(test)]
mod tests;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use stigmer_e2e::{
    baseline::Baseline,
    load::{Figure, LoadRecord},
};
use stigmer_e2e_plan::{ExitCode, Output, failure, read_json, write_atomically, write_json};

use super::{
    code,
    measured::{Origin, test_folders},
    past::Past,
    verdict::{Judged, Measure, judge_all},
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
    /// Make the numbers of this run the baseline's
    #[arg(long)]
    save_baseline: bool,
    /// How much more breaks a limit, in per cent
    #[arg(long)]
    tolerance: f64,
    /// Also write a page
    #[arg(long)]
    page: Option<Utf8PathBuf>,
}

impl Measure for Figure {
    fn name(&self) -> &str {
        &self.name
    }

    fn value(&self) -> f64 {
        self.value
    }

    fn interval(&self) -> [f64; 2] {
        self.interval
    }

    fn unit(&self) -> &'static str {
        self.unit
    }
}

/// Judges a load, and shows and keeps what came out.
///
/// # Errors
///
/// When nothing was measured, or a file cannot be read or written.
pub fn load(flags: &Flags, output: Output, is_json: bool) -> Result<ExitCode> {
    let origin = Origin::of(&flags.results)?;
    let records = records(&flags.results);
    if records.is_empty() {
        return Err(failure(
            ExitCode::NothingRan,
            format!("no test of {} put the stack under load", flags.results),
            "run `cargo xtask load`",
        ));
    }
    let baseline = Baseline::read(&flags.baseline)?;
    let mut past = Past::beside(&flags.results, &origin.run_id);
    let figures = records.iter().flat_map(LoadRecord::figures);
    let judged = judge_all(figures, (&baseline, &past), flags.tolerance / 100.0);
    let value = |it: &Judged<Figure>| (it.row.name.clone(), it.row.value);
    past.append(judged.iter().map(value))?;
    let kept = json!({"mixes": records, "limits": judged});
    write_json(&flags.results.join("load.json"), &kept)?;
    if flags.save_baseline {
        let of_run = Baseline::of(&origin.run_id, judged.iter().map(value));
        of_run.or(baseline).write(&flags.baseline)?;
    }
    if let Some(page) = &flags.page {
        write_atomically(page, table::page(&origin, &records, &judged).as_bytes())?;
    }
    match is_json {
        true => {
            let knees = records.iter().map(|record| (record.mix, record.knee));
            let knees: Vec<_> = knees.collect();
            output.object(&json!({"event": "load", "knees": knees, "limits": judged}));
        }
        false => print!("{}", table::text(&records, &judged, &flags.baseline)),
    }
    Ok(code(&judged))
}

fn records(results: &Utf8Path) -> Vec<LoadRecord> {
    let files = test_folders(results).map(|folder| LoadRecord::file(&folder));
    let mut records: Vec<LoadRecord> = files.filter_map(|file| read_json(&file).ok()).collect();
    records.sort_by_key(|record| record.mix.name());
    records
}
