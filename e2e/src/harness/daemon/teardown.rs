//! What no daemon of a test may leave in its logs.

use camino::{Utf8Path, Utf8PathBuf};

use crate::harness::{Test, evidence};

/// Panics and fatal texts in the logs of the daemons of `test`, one line each.
pub(in crate::harness) fn findings(test: &Test) -> Vec<String> {
    let homes = test
        .folder()
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .flatten();
    let homes = homes.filter(|folder| folder.file_name().starts_with("daemon-"));
    homes
        .flat_map(|home| logs(&home.path().join(".stigmer")))
        .flat_map(|log| {
            let name = log.file_name().unwrap_or_default().to_owned();
            let lines = evidence::fatal_lines(&log);
            lines.into_iter().map(move |line| format!("{name}: {line}"))
        })
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
