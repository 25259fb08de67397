//! Logs of the components, line by line.

use camino::{Utf8Path, Utf8PathBuf};

use super::Entry;
use crate::read;

/// So many of the last lines of a log; the file has the others.
const LINES: usize = 400;

/// The lines of the logs in `env-*` folders of a test; `start` is the test's, in milliseconds since 1970.
pub fn entries(folder: &Utf8Path, start: f64) -> Vec<Entry> {
    let logs = read::entries(folder)
        .into_iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.starts_with("env-"))
        })
        .flat_map(|environment| read::entries(&environment))
        .filter(|path| path.extension() == Some("log"));
    logs.flat_map(|log| of_file(&log, start)).collect()
}

fn of_file(log: &Utf8PathBuf, start: f64) -> Vec<Entry> {
    let text = read::text(log).unwrap_or_default();
    let environment = log
        .parent()
        .and_then(Utf8Path::file_name)
        .unwrap_or_default();
    let component = log.file_stem().unwrap_or_default();
    let lane = match environment {
        "env-1" => component.to_owned(),
        other => format!("{component} ({other})"),
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0.0;
    let mut entries = Vec::new();
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        let (time, rest) = line.split_once(' ').unwrap_or(("", line));
        // A line without a time belongs to the one before it: a backtrace, a wrapped text.
        let text = match read::milliseconds(time) {
            Some(time) => {
                at = time - start;
                rest.trim_start()
            }
            None => line,
        };
        let bad = text.starts_with("ERROR") || text.contains("panicked at");
        entries.push(Entry::new(at, &lane, text).bad_if(bad));
    }
    entries
}
