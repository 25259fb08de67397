//! Every kind of failure is told by its report, and comes back from a copy of its folder.

use std::time::Duration;

use camino::Utf8Path;
use serde_json::json;
use stigmer_e2e::harness::{Broken, Failure, story};
use stigmer_e2e_report::browser::{DESKTOP, Page, SCREENSHOTS, find, screenshots};

use crate::pipeline::{Inner, xtask};

/// A specimen of each kind, and words by which its failure is told.
const KINDS: [(&str, &str); 7] = [
    ("specimen_fails_after_a_run", "this specimen has to fail"),
    ("specimen_waits_in_vain", "timed out after"),
    ("specimen_whose_runner_crashes", "stigmer-agent-runner"),
    ("specimen_leaves_a_process_behind", "sleep 600"),
    ("specimen_whose_server_logs_an_error", "ERROR"),
    (
        "specimen_leaves_the_hub_unsatisfied",
        "/nobody-expects-this",
    ),
    (
        "specimen_asks_what_is_not_recorded",
        "How were you yesterday?",
    ),
];

/// Long enough for seven failures, twice.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn log_07_a_red_run_of_each_kind_is_told_by_its_report_and_comes_back_from_a_copy_of_its_folder() {
    story(async |t| {
        let specimens = KINDS.map(|(specimen, _)| specimen);
        let run = Inner::of(&t, &specimens)?
            .with(|plan| (plan.seed, plan.jobs) = (815, 2))
            .within(PATIENCE)
            .run()
            .await?;
        run.output.exited_with(100)?;
        assert_eq!(run.last_line(), "0 passed, 7 failed, 0 skipped");

        t.step("each failure ends with the command that repeats it");
        for (specimen, words) in KINDS {
            let told = format!(" {specimen} --seed 815");
            run.output.says(&told)?;
            let record = run.record(specimen)?;
            assert!(record.rerun.ends_with(&told), "{}", record.rerun);
            let failure = record.failure.map(|failure| failure.message);
            let findings = record.teardown_findings.join("\n");
            let all = format!("{}\n{findings}", failure.unwrap_or_default());
            assert!(all.contains(words), "{words:?} is not in {specimen}: {all}");
        }

        t.step("the folder is moved to where nothing of the run was");
        let copy = t.folder().join("from another machine");
        std::fs::rename(&run.results, &copy)?;

        t.step("all of them come back from there");
        let again = t.folder().join("again");
        let repeated = xtask(&t)?
            .args(["repro", copy.as_str(), "--no-build", "--anyway"])
            .args(["--results", again.as_str()])
            .within(PATIENCE)
            .run()
            .await?;
        repeated.exited_with(100)?;
        for specimen in specimens {
            repeated.says(&format!("  {specimen}: came back"))?;
        }
        let plan: serde_json::Value =
            serde_json::from_slice(&std::fs::read(again.join("plan.json"))?)?;
        assert_eq!((&plan["seed"], &plan["jobs"]), (&json!(815), &json!(2)));

        t.step("a reader of the report sees what failed without a click");
        let Ok(browser) = find() else {
            return Err(t.skip("there is no Chromium to look at the report with"));
        };
        look(&browser, &copy)
    });
}

fn look(browser: &Utf8Path, results: &Utf8Path) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| Broken(error.to_string());
    let mut page = Page::open(browser).map_err(|error| broken(&error))?;
    page.show_on(DESKTOP, "light")
        .and_then(|()| page.go(&results.join("report.html"), ""))
        .map_err(|error| broken(&error))?;
    let cards = page
        .evaluate("[...document.querySelectorAll('#red article')].map((card) => card.innerText)")
        .map_err(|error| broken(&error))?;
    let cards: Vec<String> = serde_json::from_value(cards)?;
    assert_eq!(cards.len(), KINDS.len(), "{cards:?}");
    for (specimen, words) in KINDS {
        let card = cards.iter().find(|card| card.contains(specimen));
        assert!(
            card.is_some_and(|card| card.contains(words)),
            "{words:?} is not told of {specimen}: {card:?}"
        );
    }
    let pictures = screenshots(results).map_err(|error| broken(&error))?;
    assert_eq!(pictures.len(), 8, "not all are in {SCREENSHOTS}");
    Ok(())
}
