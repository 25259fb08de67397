//! Logs of the components, line by line.

use camino::{Utf8Path, Utf8PathBuf};

use super::Entry;
use crate::read;

/// So many of the last lines of a log; the file has the others.
const LINES: usize = 400;

/// The parts of a test's folder that have logs: its environments, its daemons, and its slices of what
/// all tests share.
const HOLDERS: [&str; 3] = ["env-", "daemon-", "shared"];

/// The lines of the logs of a test; `start` is the test's, in milliseconds since 1970.
pub fn entries(folder: &Utf8Path, start: f64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for holder in read::entries(folder) {
        let name = holder.file_name().unwrap_or_default();
        if !HOLDERS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        for log in logs_in(&holder) {
            let component = log.file_stem().unwrap_or_default();
            let lane = match name {
                "env-1" => component.to_owned(),
                other => format!("{component} ({other})"),
            };
            let text = read::text(&log).unwrap_or_default();
            entries.extend(of_text(&text, &lane, start));
        }
    }
    entries
}

/// The logs in `folder` and below.
fn logs_in(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) = read::entries(folder)
        .into_iter()
        .partition(|path| path.is_dir());
    let own = files.into_iter();
    let own = own.filter(|path| path.extension() == Some("log"));
    own.chain(folders.iter().flat_map(|folder| logs_in(folder)))
        .collect()
}

/// The last lines of a log. Those before the first time in it have no place in the story: the model's
/// server, for one, counts from its own start.
fn of_text(text: &str, lane: &str, start: f64) -> Vec<Entry> {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = None;
    let mut entries = Vec::new();
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        // A line without a time belongs to the one before it: a backtrace, a wrapped text.
        let text = match time_of(line) {
            Some((time, rest)) => {
                at = Some(time - start);
                rest
            }
            None => line,
        };
        let bad = text.starts_with("ERROR")
            || text.starts_with("level=ERROR")
            || text.contains("panicked at");
        entries.extend(at.map(|at| Entry::new(at, lane, text).bad_if(bad)));
    }
    entries
}

/// The time at the beginning of a line, in milliseconds since 1970, and the rest of it: RFC 3339, or
/// Temporal's `time=` in UTC without saying so.
fn time_of(line: &str) -> Option<(f64, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let time = match time.strip_prefix("time=") {
        Some(time) => read::milliseconds(&format!("{}Z", time.trim_end_matches('Z'))),
        None => read::milliseconds(time),
    };
    Some((time?, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_placed_by_its_time_and_one_without_by_the_line_before() {
        let text = "0.03.417 no time of day\n\
                    time=1970-01-01T00:00:02.5 level=ERROR msg=x\n\
                    1970-01-01T00:00:03Z  INFO y\n  and more\n";
        let entries = of_text(text, "temporal (shared)", 1000.0);
        let told: Vec<_> = entries
            .iter()
            .map(|entry| (entry.at, entry.text.as_str(), entry.bad))
            .collect();
        assert_eq!(
            told,
            [
                (1500.0, "level=ERROR msg=x", true),
                (2000.0, "INFO y", false),
                (2000.0, "  and more", false),
            ]
        );
    }
}
