//! The frame around every test: a folder, a runtime, a deadline, a record, and a teardown that
//! always happens.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

use futures_util::FutureExt;

use super::{
    Failure, Outcome, Test, budget,
    record::{FailureRecord, TestRecord, Verdict},
    teardown::tear_down,
};
use crate::{session::Session, supervise::end_with};

/// Tells a story: runs `body` with a [`Test`] of its own, tears down whatever it started, and
/// fails the surrounding `#[test]` when the story, or the teardown, found something wrong.
///
/// # Panics
///
/// When the test failed. The report names the line of the story.
pub fn story(body: impl AsyncFnOnce(Test) -> Outcome) {
    let name = thread::current()
        .name()
        .map(str::to_owned)
        .unwrap_or_default();
    let session = Session::load().unwrap_or_else(|error| panic!("{error:#}"));
    if let Some(owner) = session.owner {
        // A killed run must not leave a test behind, nor what the test started.
        end_with(owner).unwrap_or_else(|error| panic!("the run is over: {error}"));
    }
    let test = Test::begin(&name, session).unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("failed to start a runtime: {error}"));
    let record = runtime.block_on(tell(&test, body));
    // Edges and streams that are still open end here.
    runtime.shutdown_background();
    conclude(&test, &record);
}

async fn tell(test: &Test, body: impl AsyncFnOnce(Test) -> Outcome) -> TestRecord {
    watch_panics();
    let limit = budget::of_test(test.name()).limit;
    let ended = AssertUnwindSafe(tokio::time::timeout(limit, body(test.clone())))
        .catch_unwind()
        .await;
    let verdict = match ended {
        Ok(Ok(Ok(()))) => Verdict::Passed,
        Ok(Ok(Err(failure))) => refuse(test, &failure),
        Ok(Err(_)) => fail(test, String::new(), overdue(test)),
        Err(payload) => {
            let (location, message) =
                last_panic().unwrap_or_else(|| (String::new(), text_of(&*payload)));
            fail(test, location, message)
        }
    };
    test.begin_teardown();
    let findings = tear_down(test, verdict == Verdict::Failed).await;
    let clean = findings.is_empty();
    test.update(|record| record.teardown_findings = findings);
    test.finish(if clean { verdict } else { Verdict::Failed })
}

fn refuse(test: &Test, failure: &Failure) -> Verdict {
    if failure.is_skip() {
        test.update(|record| record.skipped_because = Some(failure.message().to_owned()));
        return Verdict::Skipped;
    }
    fail(test, failure.location(), failure.message().to_owned())
}

fn fail(test: &Test, location: String, message: String) -> Verdict {
    test.update(|record| record.failure = Some(FailureRecord { location, message }));
    Verdict::Failed
}

fn overdue(test: &Test) -> String {
    let budget = budget::of_test(test.name());
    let mut text = format!(
        "the test did not end within {:?} ({})",
        budget.limit, budget.name
    );
    test.update(|record| {
        if let Some(step) = record.steps.last() {
            text = format!("{text}; it was at: {}", step.text);
        }
    });
    text
}

/// Prints the report and ends the test. The unwinding is silent: the story's line is in the report,
/// and a line of the harness would only mislead.
fn conclude(test: &Test, record: &TestRecord) {
    match record.verdict {
        Verdict::Passed => {}
        Verdict::Skipped => println!(
            "SKIPPED: {}",
            record.skipped_because.as_deref().unwrap_or_default()
        ),
        Verdict::Running | Verdict::Failed => {
            eprintln!("\n{}", test.secrets().mask(&report(test, record)));
            panic::resume_unwind(Box::new("the story did not hold"));
        }
    }
}

fn report(test: &Test, record: &TestRecord) -> String {
    let mut text = format!("FAILED {} [{}]", record.name, record.ids.join(" "));
    if let Some(failure) = &record.failure {
        text.push_str(&format!(
            "\n  at {}\n  {}",
            failure.location,
            failure.message.replace('\n', "\n  ")
        ));
    }
    for finding in &record.teardown_findings {
        text.push_str(&format!("\n  teardown: {finding}"));
    }
    for log in record.logs.iter().filter(|log| !log.lines.is_empty()) {
        let shown = &log.lines[log.lines.len().saturating_sub(10)..];
        text.push_str(&format!(
            "\n  the end of {}:\n    {}",
            log.path,
            shown.join("\n    ")
        ));
    }
    text.push_str(&format!(
        "\n  folder: {}\n  again:  {}",
        test.folder(),
        record.rerun
    ));
    text
}

thread_local! {
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Remembers where a panic came from; the payload alone does not tell.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let location = info.location().map(ToString::to_string).unwrap_or_default();
            LAST_PANIC.set(Some((location, text_of(info.payload()))));
            before(info);
        }));
    });
    LAST_PANIC.set(None);
}

fn last_panic() -> Option<(String, String)> {
    LAST_PANIC.take()
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
        .to_owned()
}
