//! `cargo xtask report [DIR]` and `cargo xtask report --compare BEFORE AFTER`.

use anyhow::Result;
use camino::Utf8PathBuf;
use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, Output, columns, failure};
use stigmer_e2e_report::{
    Change, Comparison, ReportError,
    browser::{BrowserError, screenshots},
    compare, write, write_trace,
};

use crate::{checkout::Checkout, flags::ReportFlags};

/// Writes the report of a run, or shows what differs between two. A folder that no run wrote ends
/// with [`ExitCode::Usage`].
pub fn run(flags: &ReportFlags, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if let [before, after] = flags.compare.as_slice() {
        show(&compare(before, after).map_err(refused)?, output);
        return Ok(ExitCode::Success);
    }
    let results = match &flags.results {
        Some(results) => results.clone(),
        None => last(checkout)?,
    };
    let file = write(&results).map_err(refused)?;
    output.object(&Written {
        event: "report",
        file: &file,
    });
    output.line(file.as_str());
    let trace = write_trace(&results).map_err(refused)?;
    output.object(&Written {
        event: "trace",
        file: &trace,
    });
    if flags.screenshots {
        for file in screenshots(&results).map_err(refused)? {
            output.object(&Written {
                event: "screenshot",
                file: &file,
            });
            output.line(file.as_str());
        }
    }
    Ok(ExitCode::Success)
}

#[derive(Serialize)]
struct Written<'a> {
    event: &'static str,
    file: &'a Utf8PathBuf,
}

/// The newest run in the checkout: its folder's name begins with its time.
fn last(checkout: &Checkout) -> Result<Utf8PathBuf> {
    let folder = checkout.root.join("results");
    let runs = folder.read_dir_utf8().into_iter().flatten().flatten();
    runs.map(|run| run.into_path())
        .filter(|run| run.join("run.json").is_file())
        .max()
        .ok_or_else(|| {
            failure(
                ExitCode::Usage,
                format!("there is no run in {folder}"),
                "name a results folder, or make a run with `cargo xtask e2e`",
            )
        })
}

fn refused(error: ReportError) -> anyhow::Error {
    let (code, fix) = match &error {
        ReportError::NoRun { .. } => (ExitCode::Usage, "name the folder of a run"),
        ReportError::Write { .. } => (ExitCode::ResultsUnwritable, "make the folder writable"),
        ReportError::Browser(BrowserError::Missing) => {
            (ExitCode::PrerequisiteMissing, "or do without --screenshots")
        }
        ReportError::Browser(_) => (ExitCode::ToolBroken, "try another Chromium"),
    };
    failure(code, error.to_string(), fix)
}

fn show(comparison: &Comparison, output: Output) {
    output.object(comparison);
    output.line(&format!("{} -> {}", comparison.before, comparison.after));
    let inputs = comparison.inputs.iter().map(|(name, before, after)| {
        vec![name.clone(), before.clone(), "->".to_owned(), after.clone()]
    });
    let changes = comparison.changes.iter().map(|change| {
        let Change {
            test,
            before,
            after,
        } = change;
        vec![
            test.clone(),
            told(before.as_ref()),
            "->".to_owned(),
            told(after.as_ref()),
        ]
    });
    for (what, rows) in [
        ("inputs", inputs.collect::<Vec<_>>()),
        ("tests", changes.collect()),
    ] {
        match rows.is_empty() {
            true => output.line(&format!("{what}: no difference")),
            false => output.line(&format!("{what}:\n{}", columns(&rows).trim_end())),
        }
    }
}

fn told(outcome: Option<&(String, f64)>) -> String {
    outcome.map_or_else(
        || "did not run".to_owned(),
        |(verdict, ms)| format!("{verdict} in {ms} ms"),
    )
}
