//! The logs of the daemons of a test, after its story.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    harness::{Test, evidence, record::LogTail},
    supervise::log_tail,
};

/// How many lines of each log go into the record of a failed test.
const TAIL: usize = 200;

/// Panics and fatal texts in the logs of the daemons of `test`, one line each.
pub(in crate::harness) fn findings(test: &Test) -> Vec<String> {
    let of_log = |log: Utf8PathBuf| {
        let lines = evidence::fatal_lines(&log).into_iter();
        let name = name(&log);
        lines.map(move |line| format!("{name} broke: {line}"))
    };
    logs_of(test).into_iter().flat_map(of_log).collect()
}

/// Puts the last lines of every log of the daemons of `test` into its record.
pub(in crate::harness) fn keep_log_tails(test: &Test) {
    let tail = |path: Utf8PathBuf| LogTail {
        component: name(&path),
        lines: log_tail(&path, TAIL),
        path,
    };
    let tails: Vec<_> = logs_of(test).into_iter().map(tail).collect();
    test.update(|record| record.logs.extend(tails));
}

fn name(log: &Utf8Path) -> String {
    log.file_name().unwrap_or_default().to_owned()
}

fn logs_of(test: &Test) -> Vec<Utf8PathBuf> {
    let homes = test
        .folder()
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .flatten();
    let homes = homes.filter(|folder| folder.file_name().starts_with("daemon-"));
    homes
        .flat_map(|home| logs(&home.path().join(".stigmer")))
        .collect()
}

/// Logs, those of earlier starts included.
fn logs(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let folders = [folder.join("logs"), folder.join("data/logs")];
    let files = folders
        .iter()
        .flat_map(|folder| folder.read_dir_utf8().into_iter().flatten().flatten());
    files.map(|file| file.path().to_owned()).collect()
}
