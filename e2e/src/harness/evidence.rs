//! What is kept of an environment: always what is cheap, everything when the test failed.

use std::{fs, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::write_json;

use super::{Environment, Part, Temporal, Test, record::LogTail};
use crate::supervise::log_tail;

/// How long collecting histories may take for a test that passed.
const CHEAP: Duration = Duration::from_millis(50);
/// The longest history kept of a test that passed, in bytes.
const LARGE: usize = 256 * 1024;
/// How long it may take when all of them are wanted.
const THOROUGH: Duration = Duration::from_secs(10);
/// How many lines of each log go into the record of a failed test.
const TAIL: usize = 200;

/// Writes the history of every workflow of the namespace to `temporal/<workflow id>.json`; of a test
/// that passed, those that are quick to read and small. A test with secrets has all of them, and as
/// Temporal keeps them: encrypted, so that what is found in the clear is a finding.
pub(super) async fn keep_histories(test: &Test, temporal: &Temporal, failed: bool) {
    let (folder, with_secrets) = (test.folder(), !test.secrets().is_empty());
    let thorough = failed || with_secrets;
    let limit = if thorough { THOROUGH } else { CHEAP };
    let keep = async {
        let mut complaint = None;
        for workflow in temporal
            .workflows()
            .await
            .map_err(|error| error.to_string())?
        {
            let id = &workflow.workflow_id;
            let history = match with_secrets {
                true => temporal.raw_history(id).await,
                false => temporal.history(id).await,
            };
            match history {
                // A test that passed keeps a small folder.
                Ok(history) if !thorough && history.len() > LARGE => {}
                Ok(history) => write(
                    &folder
                        .join("temporal")
                        .join(file_name(&workflow.workflow_id)),
                    &history,
                ),
                Err(error) => complaint = Some(error.to_string()),
            }
        }
        complaint.map_or(Ok(()), Err)
    };
    match tokio::time::timeout(limit, keep).await {
        Ok(Ok(())) => {}
        // Missing evidence must be visible, but it is no verdict.
        Ok(Err(reason)) => println!("note: not every Temporal history could be kept: {reason}"),
        Err(_) if thorough => {
            println!("note: keeping the Temporal histories took longer than {limit:?}")
        }
        Err(_) => {}
    }
}

/// Writes every stored resource to `records.json` beside the store. Values that were handed over as
/// secrets are sealed in both.
pub(super) fn keep_records(environment: &Environment) {
    let store = environment.store();
    if !store.path().exists() {
        return;
    }
    let kept = store
        .dump()
        .map_err(Into::into)
        .and_then(|dump| write_json(&environment.folder().join("records.json"), &dump));
    if let Err(error) = kept {
        println!("note: the records could not be kept: {error:#}");
    }
    remove_empty_wal(store.path());
}

/// A server that ended well left one file; looking into it created two more, which hold nothing.
fn remove_empty_wal(store: &Utf8Path) {
    let beside = |suffix: &str| Utf8PathBuf::from(format!("{store}{suffix}"));
    if fs::metadata(beside("-wal")).is_ok_and(|wal| wal.len() == 0) {
        for suffix in ["-wal", "-shm"] {
            // What cannot be removed is only untidy.
            let _ = fs::remove_file(beside(suffix));
        }
    }
}

/// Puts the last lines of every log into the record.
pub(super) fn keep_log_tails(test: &Test, environment: &Environment) {
    let tails = environment.parts().map(|part| LogTail {
        component: part.component().name().to_owned(),
        path: part.log().to_owned(),
        lines: log_tail(part.log(), TAIL),
    });
    let tails = tails.collect::<Vec<_>>();
    test.update(|record| record.logs.extend(tails));
}

/// What only a program that broke writes: Rust's panics, aborts, and overflows; Go's fatal errors and
/// data races; a fatal log line.
const FATAL: [&str; 7] = [
    "panicked at",
    "fatal runtime error",
    "has overflowed its stack",
    "memory allocation of",
    "fatal error:",
    "WARNING: DATA RACE",
    "level=fatal",
];

/// The lines of a log that say that a program broke: no part may, whatever a test does to it.
pub(super) fn fatal_lines(log: &Utf8Path) -> Vec<String> {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| FATAL.iter().any(|words| line.contains(words)))
        .map(str::to_owned)
        .collect()
}

/// [`fatal_lines`] of every part of an environment.
pub(super) fn broken_parts(environment: &Environment) -> Vec<String> {
    let of_part = |part: &Part| {
        let name = part.component().name();
        let lines = fatal_lines(part.log()).into_iter();
        lines
            .map(move |line| format!("{name} broke: {line}"))
            .collect::<Vec<_>>()
    };
    environment.parts().flat_map(of_part).collect()
}

fn write(path: &Utf8Path, text: &str) {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text));
    if let Err(error) = written {
        println!("note: failed to write {path}: {error}");
    }
}

/// Workflow ids are paths of their own kind.
fn file_name(workflow_id: &str) -> String {
    format!("{}.json", workflow_id.replace('/', "."))
}
