//! `faults.jsonl`: what a test broke on purpose, and when it mended it.
//!
//! Whoever breaks something need not know the test it belongs to: a story is told on one thread, and
//! faults are done on it.

use std::cell::RefCell;

use serde_json::json;

use super::Journal;

thread_local! {
    static JOURNAL: RefCell<Option<Journal>> = const { RefCell::new(None) };
}

/// Faults of this thread go to `journal` from now on.
pub(super) fn record_into(journal: Journal) {
    JOURNAL.set(Some(journal));
}

/// Writes down that something was broken or mended, in a few words.
pub(super) fn note(fault: impl Into<String>) {
    JOURNAL.with_borrow(|journal| {
        if let Some(journal) = journal {
            journal.write(json!({"fault": fault.into()}));
        }
    });
}
