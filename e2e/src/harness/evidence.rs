//! What is kept of an environment: always what is cheap, everything when the test failed.

use std::{fs, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::write_json;

use super::{Environment, Temporal, Test, record::LogTail};
use crate::supervise::log_tail;

/// How long collecting histories may take for a test that passed.
const CHEAP: Duration = Duration::from_millis(50);
/// The longest history kept of a test that passed, in bytes.
const LARGE: usize = 256 * 1024;
/// How long it may take when all of them are wanted.
const THOROUGH: Duration = Duration::from_secs(10);
/// How many lines of each log go into the record of a failed test.
const TAIL: usize = 200;

/// A workflow of an environment, as Temporal keeps it.
pub(super) struct History {
    /// The workflow's id.
    pub(super) workflow_id: String,
    /// The queue that it was started on.
    pub(super) task_queue: String,
    /// Its events as one line of JSON, the payloads encrypted.
    pub(super) json: String,
}

/// Reads the history of every workflow of the namespace; of a test that passed and is not inspected,
/// those that are quick to read.
pub(super) async fn histories(test: &Test, temporal: &Temporal, failed: bool) -> Vec<History> {
    let thorough = failed || test.is_inspected() || !test.secrets().is_empty();
    let limit = if thorough { THOROUGH } else { CHEAP };
    let mut histories = Vec::new();
    let read = async {
        let mut complaint = None;
        let workflows = temporal.workflows().await;
        for workflow in workflows.map_err(|error| error.to_string())? {
            match temporal.raw_history(&workflow.workflow_id).await {
                Ok(json) => histories.push(History {
                    workflow_id: workflow.workflow_id,
                    task_queue: workflow.task_queue,
                    json,
                }),
                Err(error) => complaint = Some(error.to_string()),
            }
        }
        complaint.map_or(Ok(()), Err)
    };
    match tokio::time::timeout(limit, read).await {
        Ok(Ok(())) => {}
        // Missing evidence must be visible, but it is no verdict.
        Ok(Err(reason)) => println!("note: not every Temporal history could be read: {reason}"),
        Err(_) if thorough => {
            println!("note: reading the Temporal histories took longer than {limit:?}")
        }
        Err(_) => {}
    }
    histories
}

/// Writes `histories` to `temporal/<workflow id>.json`; of a test that passed, those that are small. A
/// test with secrets has all of them, and as Temporal keeps them: encrypted, so that what is found in
/// the clear is a finding.
pub(super) fn keep_histories(
    test: &Test,
    temporal: &Temporal,
    histories: &[History],
    failed: bool,
) {
    let with_secrets = !test.secrets().is_empty();
    for History {
        workflow_id, json, ..
    } in histories
    {
        // A test that passed keeps a small folder.
        if !failed && !with_secrets && json.len() > LARGE {
            continue;
        }
        let path = test.folder().join("temporal").join(file_name(workflow_id));
        match with_secrets {
            true => write(&path, json),
            false => match temporal.decoded(workflow_id, json) {
                Ok(plain) => write(&path, &plain),
                Err(error) => println!("note: {error}"),
            },
        }
    }
}

/// Writes what a shared service wrote about the test, if it did, to `shared/<service>.log`.
pub(super) fn keep_slice(test: &Test, service: &str, lines: &[String]) {
    if !lines.is_empty() {
        let text = lines.join("\n") + "\n";
        write(&test.folder().join(format!("shared/{service}.log")), &text);
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
        component: part.name(),
        path: part.log().to_owned(),
        lines: log_tail(part.log(), TAIL),
    });
    let tails = tails.collect::<Vec<_>>();
    test.update(|record| record.logs.extend(tails));
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
