//! The page in Chromium, as a reader has it. Ignored by default, because not every machine has one:
//! `cargo xtask test` runs these tests, or says that there is no browser.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use stigmer_e2e_report::{
    browser::{DESKTOP, PHONE, Page, find, screenshots},
    write,
};

use crate::results::{Results, append, results};

const RED: &str = "run::run_01_a_promise_that_was_broken";
const SLOW: &str = "apply::app_02_a_slow_one";

/// A run with one red test that says a lot, a slow one, and a quick one.
fn small() -> (Results, Utf8PathBuf) {
    let results = results(&[
        (SLOW, "passed", 9000),
        (RED, "failed", 1200),
        ("apply::app_01_a_quick_one", "passed", 12),
    ]);
    let test = results.path.join("tests/run_01_a_promise_that_was_broken");
    append(
        &test,
        "cli/01-run.txt",
        "$ stigmer run x\n[started at 10 ms]\n    0.002 out | <b>the needle</b>\n    3.000 err | late\n[exit status: 1 after 3s]\n",
    );
    append(
        &test,
        "grpc.jsonl",
        "{\"at_ms\":11,\"method\":\"/a.v1.AgentQueryController/get\",\"ms\":1,\"response\":{\"in\":\"side\"}}\n",
    );
    let report = write(&results.path).expect("a report");
    (results, report)
}

fn page() -> Page {
    let mut page = Page::open(&find().expect("a browser")).expect("it starts");
    page.show_on(DESKTOP, "light").expect("shown");
    page
}

/// The page of `report` at `hash`.
fn at(report: &Utf8Path, hash: &str) -> Page {
    let mut page = page();
    page.go(report, hash).expect("loaded");
    page
}

fn ask(page: &mut Page, expression: &str) -> Value {
    page.evaluate(expression).expect("an answer")
}

/// The own names of the tests in the list, in its order.
fn listed(page: &mut Page) -> Value {
    let names = "[...document.querySelectorAll('#list > details')].map((row) => row.id.slice(2))";
    ask(page, names)
}

#[test]
#[ignore = "it needs Chromium"]
fn a_failure_is_readable_without_a_click() {
    let (_results, report) = small();
    let mut page = at(&report, "");
    assert_eq!(
        ask(&mut page, "document.querySelector('h1').innerText"),
        "✕ failed"
    );
    let card = ask(&mut page, "document.querySelector('#red').innerText");
    let card = card.as_str().expect("a text");
    for part in [
        "run 01",
        "broke its promise",
        "left: 1",
        "e2e/tests/suite/run.rs:7:9",
        "apply",
        "again run::",
    ] {
        assert!(card.contains(part), "{part:?} is not in {card}");
    }
    assert_eq!(
        ask(
            &mut page,
            "document.querySelectorAll('details[open]').length"
        ),
        0
    );
    let top = ask(
        &mut page,
        "document.querySelector('#red pre').getBoundingClientRect().bottom",
    );
    assert!(
        top.as_f64() < Some(800.0),
        "it is below the first screen: {top}"
    );
}

#[test]
#[ignore = "it needs Chromium"]
fn what_is_chosen_lives_in_the_address() {
    let (_results, report) = small();
    let (red, slow, quick) = (
        "run_01_a_promise_that_was_broken",
        "app_02_a_slow_one",
        "app_01_a_quick_one",
    );
    let mut page = page();
    for (hash, shown) in [
        ("", json!([red, slow, quick])),
        ("order=ms", json!([slow, red, quick])),
        ("state=failed", json!([red])),
        ("min=5000", json!([slow])),
        ("q=QUICK", json!([quick])),
        ("q=broke+its", json!([red])),
        ("q=the+needle", json!([])),
        ("q=%3Cb%3Ethe+needle&deep=1", json!([red])),
        ("order=nonsense&min=x", json!([red, slow, quick])),
    ] {
        page.go(&report, hash).expect("loaded");
        assert_eq!(listed(&mut page), shown, "{hash}");
    }
    page.go(&report, "").expect("loaded");
    ask(
        &mut page,
        "document.querySelector('button[value=failed]').click()",
    );
    ask(&mut page, "document.querySelector('#list summary').click()");
    // A toggle is told a moment later.
    ask(&mut page, "new Promise((done) => setTimeout(done, 50))");
    assert_eq!(
        ask(&mut page, "location.hash"),
        format!("#state=failed&test={red}")
    );
    page.go(&report, &format!("state=failed&test={red}"))
        .expect("loaded");
    assert_eq!(listed(&mut page), json!([red]));
    assert_eq!(
        ask(&mut page, "document.querySelector('#list details').open"),
        true
    );
}

#[test]
#[ignore = "it needs Chromium"]
fn a_story_is_told_by_time_and_opens_to_what_was_said() {
    let (_results, report) = small();
    let mut page = at(&report, "test=run_01_a_promise_that_was_broken");
    let lanes = ask(
        &mut page,
        "[...document.querySelectorAll('.entry')].map((row) => [...row.children].slice(1).map((part) => part.innerText).join('|'))",
    );
    assert_eq!(
        lanes,
        json!([
            "step|apply",
            "cli|$ stigmer run x",
            "grpc|AgentQueryController/get: OK in 1 ms",
            "cli|<b>the needle</b>",
            "|3.0 s without a word",
            "cli|✕ late",
            "cli|[exit status: 1 after 3s]",
        ])
    );
    ask(
        &mut page,
        "document.querySelector('.entry summary').click()",
    );
    ask(&mut page, "new Promise((done) => setTimeout(done, 50))");
    let inside = ask(
        &mut page,
        "document.querySelector('.entry details pre').innerText",
    );
    assert!(
        inside
            .as_str()
            .is_some_and(|text| text.contains("\"in\": \"side\"")),
        "{inside}"
    );
    ask(
        &mut page,
        "[...document.querySelectorAll('.chips button')].find((chip) => chip.innerText === 'cli').click()",
    );
    assert_eq!(
        ask(&mut page, "document.querySelectorAll('.lane-cli').length"),
        0
    );
}

#[test]
#[ignore = "it needs Chromium"]
fn what_was_covered_is_told_in_tables() {
    let results = results(&[(RED, "failed", 10)]);
    let by = |verdict: &str| json!([{"name": RED, "verdict": verdict}]);
    let coverage = json!({
        "scenarios": [{"id": "RUN-01", "proof": "failed"}, {"id": "RUN-02", "proof": "passed"}],
        "fixtures": [{"id": "07", "stages": {"synthesise": by("passed"), "apply": by("failed"), "run": []}}],
        "used": {
            "tasks": {"SET": {"COMPLETED": 3, "FAILED": 1}, "LISTEN": {}},
            "methods": {"/a.v1.AgentQueryController/get": {"OK": 2}},
            "commands": {"stigmer run": {"exit status: 1": 4}},
        },
    });
    append(&results.path, "coverage.json", &coverage.to_string());
    let report = write(&results.path).expect("a report");
    let mut page = at(&report, "");
    ask(
        &mut page,
        "[...document.querySelectorAll('#tables summary')].forEach((summary) => summary.click())",
    );
    ask(&mut page, "new Promise((done) => setTimeout(done, 50))");
    let tables = ask(
        &mut page,
        "[...document.querySelectorAll('#tables details')].map((one) =>
            [one.querySelector('summary'), ...one.querySelectorAll('tr')].map((row) => row.innerText.trim().split(/\\s*\\t\\s*/).join('|')))",
    );
    assert_eq!(
        tables,
        json!([
            [
                "Scenarios: 1 of 2 proven by this run",
                "Area|Passed|Of|The others",
                "RUN|1|2|RUN-01 failed"
            ],
            [
                "Fixtures by phase: 1",
                "Fixture|synthesise|apply|run",
                "07|✓ 1|✕ 1 of 1|–"
            ],
            [
                "Kinds of tasks by how they ended: 1 of 2 used",
                "Kind|COMPLETED|FAILED",
                "LISTEN|·|·",
                "SET|3|1"
            ],
            [
                "RPCs by status: 1 of 1 used",
                "Method|OK",
                "AgentQueryController/get|2"
            ],
            [
                "CLI commands by exit code: 1 of 1 used",
                "Command|exit status: 1",
                "stigmer run|4"
            ],
        ])
    );
}

#[test]
#[ignore = "it needs Chromium"]
fn everything_is_reached_by_keyboard() {
    let (_results, report) = small();
    let mut page = at(&report, "");
    let focused = "document.activeElement.innerText ?? ''";
    page.press("Tab").expect("pressed");
    assert_eq!(ask(&mut page, focused), "Skip to the tests");
    page.press("Enter").expect("pressed");
    assert_eq!(ask(&mut page, "document.activeElement.id"), "tests");
    page.press("/").expect("pressed");
    assert_eq!(ask(&mut page, "document.activeElement.id"), "search");
    ask(&mut page, "document.activeElement.blur()");
    for (key, row) in [("j", 0), ("j", 1), ("k", 0), ("j", 1), ("n", 0)] {
        page.press(key).expect("pressed");
        let rows =
            "[...document.querySelectorAll('#list summary')].indexOf(document.activeElement)";
        assert_eq!(ask(&mut page, rows), row, "after {key}");
    }
    page.press("Enter").expect("pressed");
    assert_eq!(
        ask(&mut page, "document.activeElement.parentElement.open"),
        true
    );
    let nameless = ask(
        &mut page,
        "[...document.querySelectorAll('button, input, select, a, summary')]
            .filter((node) => node.tabIndex >= 0 && !(node.innerText || node.ariaLabel || node.labels?.length)).map((node) => node.outerHTML)",
    );
    assert_eq!(nameless, json!([]), "nobody can say what these are");
    let positive = ask(
        &mut page,
        "document.querySelectorAll('[tabindex]:not([tabindex=\"0\"], [tabindex=\"-1\"])').length",
    );
    assert_eq!(positive, 0, "the order of focus is the order of the page");
}

/// The ratio of luminances of each class's text to the ground, as WCAG has it.
const CONTRASTS: &str = "(() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    const light = (colour) => { const [r, g, b] = parts(colour); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const ground = light(getComputedStyle(document.body).backgroundColor);
    return ['passed', 'failed', 'open', 'soft', 'bad', ''].map((name) => {
        const node = document.createElement('span');
        node.className = name;
        document.body.append(node);
        const ink = light(getComputedStyle(node).color);
        node.remove();
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    });
})()";

#[test]
#[ignore = "it needs Chromium"]
fn it_is_legible_in_both_schemes_and_fits_a_phone() {
    let (_results, report) = small();
    let mut page = page();
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        for screen in [DESKTOP, PHONE] {
            page.show_on(screen, scheme).expect("shown");
            page.go(&report, "test=run_01_a_promise_that_was_broken")
                .expect("loaded");
            let wider = ask(
                &mut page,
                "document.documentElement.scrollWidth - document.documentElement.clientWidth",
            );
            assert_eq!(wider, 0, "it is wider than a {}", screen.name);
        }
        let contrasts = ask(&mut page, CONTRASTS);
        let all = contrasts.as_array().expect("numbers");
        assert!(
            all.iter().all(|it| it.as_f64() >= Some(4.5)),
            "{scheme}: {contrasts}"
        );
        grounds.push(ask(
            &mut page,
            "getComputedStyle(document.body).backgroundColor",
        ));
    }
    assert_ne!(grounds[0], grounds[1], "both schemes are one");
    let wordless = "[...document.querySelectorAll('.passed, .failed')].filter((node) => !node.innerText.match(/[a-z0-9]/i) && !node.closest('[role=img]')).length";
    assert_eq!(
        ask(&mut page, wordless),
        0,
        "a colour alone tells something"
    );
}

#[test]
#[ignore = "it needs Chromium"]
fn it_asks_for_nothing_and_takes_no_text_for_markup() {
    let evil = "a::<img src=x onerror=document.title='hacked'>";
    let results = results(&[(evil, "failed", 1)]);
    let report = write(&results.path).expect("a report");
    let mut page = at(&report, "");
    ask(&mut page, "document.querySelector('#list summary').click()");
    ask(&mut page, "new Promise((done) => setTimeout(done, 50))");
    assert_eq!(ask(&mut page, "document.querySelectorAll('img').length"), 0);
    assert_eq!(
        ask(&mut page, "document.title"),
        "failed · 20260101T000000-abcd"
    );
    let requests: Vec<_> = page
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with("data:"))
        .collect();
    assert_eq!(requests, [format!("file://{report}")]);
}

/// What a page of so many tests may take from the first byte to being usable.
const LIMIT_MS: f64 = 1000.0;

#[test]
#[ignore = "it needs Chromium"]
fn a_run_of_a_thousand_tests_opens_in_under_a_second() {
    let names: Vec<String> = (0..1000)
        .map(|n| format!("area_{}::tst_{:02}_promise_{n}", n % 20, n % 100))
        .collect();
    let tests = names.iter().enumerate().map(|(n, name)| {
        (
            name.as_str(),
            if n % 100 == 0 { "failed" } else { "passed" },
            n as u64 * 7 % 30_000,
        )
    });
    let results = results(&tests.collect::<Vec<_>>());
    // As much as a test of a real run says in the middle: 80 lines of output and 17 calls.
    let output: String = (0..80)
        .map(|n| {
            format!(
                "    {:.3} out | a line of output number {n} with some words in it\n",
                f64::from(n) / 100.0
            )
        })
        .collect();
    let calls: String = (0..17).map(|n| json!({"at_ms": n * 20, "method": "/a.v1.AgentQueryController/get", "ms": 2, "response": {"text": "x".repeat(1200)}}).to_string() + "\n").collect();
    for name in &names {
        let folder = results
            .path
            .join("tests")
            .join(name.split("::").last().expect("a name"));
        append(
            &folder,
            "cli/01-run.txt",
            &format!("$ stigmer run x\n[started at 10 ms]\n{output}[exit status: 0 after 1s]\n"),
        );
        append(&folder, "grpc.jsonl", &calls);
    }
    let report = write(&results.path).expect("a report");
    let mut page = at(&report, "");
    assert_eq!(
        ask(
            &mut page,
            "document.querySelectorAll('#list > details').length"
        ),
        1000
    );
    let took = ask(
        &mut page,
        "Number(document.documentElement.dataset.usableMs)",
    )
    .as_f64()
    .expect("a number");
    let size = std::fs::metadata(&report).expect("it is there").len();
    println!("1000 tests, {size} bytes: usable after {took} ms");
    assert!(took < LIMIT_MS, "it took {took} ms to open {size} bytes");
}

#[test]
#[ignore = "it needs Chromium"]
fn pictures_are_taken_in_both_schemes_on_a_desk_and_in_a_hand() {
    let (results, _report) = small();
    let pictures = screenshots(&results.path).expect("pictures");
    let read = |file: &Utf8PathBuf| std::fs::read(file).expect("it was written");
    let mut contents: Vec<_> = pictures.iter().map(read).collect();
    assert!(contents.iter().all(|png| png.starts_with(b"\x89PNG")));
    // Width and height stand at the beginning of every PNG.
    let width = |png: &Vec<u8>| u32::from_be_bytes([png[16], png[17], png[18], png[19]]);
    let widths: Vec<_> = contents.iter().map(width).collect();
    assert_eq!(widths, [1280, 1280, 390, 390, 1280, 1280, 390, 390]);
    contents.sort();
    contents.dedup();
    assert_eq!(contents.len(), 8, "two of the pictures are one");
}
