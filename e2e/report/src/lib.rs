//! The report of a run: one HTML file that needs nothing else, made from a results folder
//! (`docs/results.md`). It reads only what the folder holds, so it can be made of a folder that was
//! copied from another machine, or of one whose run was cut off.

pub mod browser;
mod compare;
mod coverage;
mod evidence;
mod html;
mod read;
mod run;
mod story;
mod timeline;
mod trace;

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::write_atomically;

pub use compare::{Change, Comparison, compare};
pub use coverage::{Counts, Used};
pub use trace::{FILE as TRACE, trace};

/// The report's name inside a results folder.
pub const FILE: &str = "report.html";

/// A report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is not one that a run wrote.
    #[error(
        "{folder} is no results folder: it has no readable run.json ({reason}); name the folder of a run"
    )]
    NoRun {
        /// What was named.
        folder: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The report could not be written.
    #[error("failed to write {file}: {reason}")]
    Write {
        /// The file.
        file: Utf8PathBuf,
        /// The reason.
        reason: String,
    },
    /// There are no pictures of it.
    #[error(transparent)]
    Browser(#[from] browser::BrowserError),
}

/// The report of the run in `results`, as HTML.
///
/// # Errors
///
/// When the folder has no `run.json`. Anything else that is missing or damaged is left out of the
/// report, which says so in that place.
pub fn render(results: &Utf8Path) -> Result<String, ReportError> {
    let run = run::Run::read(results)?;
    let stories = story::read_all(results);
    Ok(html::page(&run, &stories))
}

/// Writes `trace.json` into `results` and returns its path.
///
/// # Errors
///
/// Like [`trace`], and when the file cannot be written.
pub fn write_trace(results: &Utf8Path) -> Result<Utf8PathBuf, ReportError> {
    let trace = trace(results)?.to_string();
    written(results.join(TRACE), trace.as_bytes())
}

/// Writes `report.html` into `results` and returns its path.
///
/// # Errors
///
/// Like [`render`], and when the file cannot be written.
pub fn write(results: &Utf8Path) -> Result<Utf8PathBuf, ReportError> {
    let page = render(results)?;
    written(results.join(FILE), page.as_bytes())
}

fn written(file: Utf8PathBuf, content: &[u8]) -> Result<Utf8PathBuf, ReportError> {
    match write_atomically(&file, content) {
        Ok(()) => Ok(file),
        Err(error) => Err(ReportError::Write {
            file,
            reason: format!("{error:#}"),
        }),
    }
}
