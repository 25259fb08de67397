//! Pictures of a report: both colour schemes, on a desk and in a hand.

use camino::{Utf8Path, Utf8PathBuf};

use super::{BrowserError, DESKTOP, PHONE, Page, find};
use crate::ReportError;

/// Where the pictures are in a results folder.
pub const FOLDER: &str = "screenshots";

/// Takes pictures of the report in `results`: the page as it opens, and the story of its first red
/// test (or of the slowest one). Returns their paths.
///
/// # Errors
///
/// When there is no browser, or a picture cannot be written.
pub fn screenshots(results: &Utf8Path) -> Result<Vec<Utf8PathBuf>, ReportError> {
    let report = results.join(crate::FILE);
    let report = report.canonicalize_utf8().unwrap_or(report);
    let folder = results.join(FOLDER);
    let unwritable = |file: &Utf8Path, error: std::io::Error| ReportError::Write {
        file: file.to_owned(),
        reason: error.to_string(),
    };
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, error))?;
    let mut page = Page::open(&find()?)?;
    page.go(&report, "")?;
    let story = story_of(&mut page)?;
    let views = [("overview", String::new()), ("story", story)];
    let mut files = Vec::new();
    for (view, hash) in &views {
        for screen in [DESKTOP, PHONE] {
            for scheme in ["light", "dark"] {
                page.show_on(screen, scheme)?;
                page.go(&report, hash)?;
                let file = folder.join(format!("{view}-{}-{scheme}.png", screen.name));
                let picture = page.picture()?;
                std::fs::write(&file, picture).map_err(|error| unwritable(&file, error))?;
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The hash of the story that is worth a picture.
fn story_of(page: &mut Page) -> Result<String, BrowserError> {
    let name = page.evaluate(
        "JSON.parse(document.getElementById('data-tests').textContent)
            .sort((a, b) => (b.verdict === 'failed') - (a.verdict === 'failed') || (b.ms ?? 0) - (a.ms ?? 0))[0]
            ?.name.split('::').pop() ?? ''",
    )?;
    Ok(format!("test={}", name.as_str().unwrap_or_default()))
}
