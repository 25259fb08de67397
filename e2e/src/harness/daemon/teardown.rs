//! The logs of the daemons of a test, after its story.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    harness::{
        Test,
        invariants::{Log, component_of},
        record::LogTail,
    },
    supervise::log_tail,
};

/// How many lines of each log go into the record of a failed test.
const TAIL: usize = 200;

/// Puts the last lines of every log of the daemons of `test` into its record.
pub(in crate::harness) fn keep_log_tails(test: &Test) {
    let tail = |path: Utf8PathBuf| LogTail {
        component: path.file_name().unwrap_or_default().to_owned(),
        lines: log_tail(&path, TAIL),
        path,
    };
    let tails: Vec<_> = files(test).into_iter().map(tail).collect();
    test.update(|record| record.logs.extend(tails));
}

/// The logs of the daemons of `test`.
pub(in crate::harness) fn logs_of(test: &Test) -> impl Iterator<Item = Log> {
    files(test).into_iter().map(|path| Log {
        component: component_of(&path),
        path,
    })
}

fn files(test: &Test) -> Vec<Utf8PathBuf> {
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
