//! What makes tests flaky or empty is found in their text.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use regex_lite::Regex;
use stigmer_e2e::harness::{Broken, Failure, story};

/// A line that must not be in a test.
struct Rule {
    name: &'static str,
    pattern: &'static str,
    /// Files or folders in which it may be, and why.
    exceptions: &'static [(&'static str, &'static str)],
}

const RULES: [Rule; 3] = [
    Rule {
        name: "a fixed sleep",
        pattern: r"\bsleep\(",
        exceptions: &[
            ("isolation/killed/nightly.rs", "it kills at a random moment"),
            (
                "streaming/subscribers.rs",
                "it subscribes at chosen moments",
            ),
            (
                "prerequisites/connections.rs",
                "it samples, and the test waits for a condition",
            ),
            (
                "temporal_outage/",
                "the scenarios say how long Temporal is away",
            ),
            (
                "long_running/weekly.rs",
                "an hour without work is an hour of it",
            ),
        ],
    },
    Rule {
        name: "a default port",
        pattern: r"\b(7233|7234|8233|8234|8080|11434)\b",
        exceptions: &[
            (
                "smoke/start_and_stop.rs",
                "it asserts that nobody listens there",
            ),
            (
                "temporal_outage/names.rs",
                "it asserts that nobody connects there",
            ),
            (
                "fixtures/agents/parts.rs",
                "fixture 03 declares it, and nobody listens",
            ),
            ("flakiness/lint.rs", "it names them"),
        ],
    },
    Rule {
        name: "a part of a resource's name",
        pattern: r"\b(name|slug)(\(\))?\.(contains|starts_with|ends_with)\(",
        exceptions: &[
            (
                "workflow_agents/hops.rs",
                "the contract gives the name a random end",
            ),
            ("flakiness/lint.rs", "it shows one"),
        ],
    },
];

/// A function of the suite.
struct Function {
    file: String,
    name: String,
    is_test: bool,
    body: String,
}

/// The functions of a file as rustfmt writes it: a function ends at the brace in its own column.
fn functions(file: &str, text: &str) -> Vec<Function> {
    let head = Regex::new(r"^(\s*)(?:pub(?:\([a-z]+\))? )?(?:const )?(?:async )?fn ([a-z0-9_]+)")
        .expect("the pattern is right");
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(parts) = head.captures(line) else {
            continue;
        };
        let end = format!("{}}}", &parts[1]);
        let body = lines[at..].iter().take_while(|line| **line != end);
        let above = lines[..at].iter().rev();
        let is_test = above
            .take_while(|line| line.trim_start().starts_with("#["))
            .any(|line| line.trim() == "#[test]");
        found.push(Function {
            file: file.to_owned(),
            name: parts[2].to_owned(),
            is_test,
            body: body.map(|line| format!("{line}\n")).collect(),
        });
    }
    found
}

/// What fails a test by itself.
const ASSERTS: &str = r"\b(assert|assert_eq|assert_ne|panic|ensure|prop_assert|prop_assert_eq|proptest)!|\.(exited_with|says)\(|return Err\(";

/// The names of the functions that assert something, themselves or through one that they call.
fn asserting(all: &[Function]) -> BTreeSet<String> {
    let direct = Regex::new(ASSERTS).expect("the pattern is right");
    let call = Regex::new(r"\b([a-z0-9_]+)(?:::<[^>]*>)?\(").expect("the pattern is right");
    let is_direct = |function: &&Function| direct.is_match(&function.body);
    let mut known: BTreeSet<String> = all
        .iter()
        .filter(is_direct)
        .map(|function| function.name.clone())
        .collect();
    loop {
        let through = all.iter().filter(|function| {
            !known.contains(&function.name)
                && call
                    .captures_iter(&function.body)
                    .skip(1)
                    .any(|called| known.contains(&called[1]))
        });
        let more: Vec<_> = through.map(|function| function.name.clone()).collect();
        if more.is_empty() {
            return known;
        }
        known.extend(more);
    }
}

/// What is wrong with `files`, their texts by their paths in the suite.
fn findings(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut findings = Vec::new();
    for rule in RULES {
        let pattern = Regex::new(rule.pattern).expect("the pattern is right");
        for (file, text) in files {
            if rule
                .exceptions
                .iter()
                .any(|(path, _)| file.starts_with(path))
            {
                continue;
            }
            let lines = text.lines().enumerate();
            let bad = lines.filter(|(_, line)| pattern.is_match(line));
            findings.extend(
                bad.map(|(at, line)| format!("{file}:{}: {}: {}", at + 1, rule.name, line.trim())),
            );
        }
    }
    let all: Vec<_> = files
        .iter()
        .flat_map(|(file, text)| functions(file, text))
        .collect();
    let asserting = asserting(&all);
    for test in all.iter().filter(|function| function.is_test) {
        let Function { file, name, .. } = test;
        if !asserting.contains(name) {
            findings.push(format!("{file}: {name} asserts nothing"));
        }
        // The frame of a story ends it when its time is up; outside of it nobody does.
        let waits = [".await", "block_on(", ".recv()", ".join()"];
        let is_framed = test.body.contains("story(");
        if !is_framed && waits.iter().any(|wait| test.body.contains(wait)) {
            findings.push(format!("{file}: {name} waits without a deadline"));
        }
    }
    findings
}

/// Exceptions that nothing makes use of any more.
fn needless_exceptions(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut needless = Vec::new();
    for rule in RULES {
        let pattern = Regex::new(rule.pattern).expect("the pattern is right");
        for (path, why) in rule.exceptions {
            let mut inside = files.iter().filter(|(file, _)| file.starts_with(path));
            if !inside.any(|(_, text)| pattern.is_match(text)) {
                let name = rule.name;
                needless.push(format!(
                    "{path} has no more {name} ({why}): correct the list"
                ));
            }
        }
    }
    needless
}

/// The texts of all files of the suite in `folder`, by their paths in it.
fn suite(folder: &Utf8Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in next.read_dir_utf8()? {
            let path = entry?.into_path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension() == Some("rs") {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string();
                files.insert(name, std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(files)
}

#[test]
fn flk_07_no_test_sleeps_uses_a_default_port_matches_a_part_of_a_name_waits_for_ever_or_is_empty() {
    story(async |t| {
        let files = suite(&t.session().root.join("e2e/tests/suite"))?;
        let tests = files.iter().flat_map(|(file, text)| functions(file, text));
        let tests = tests.filter(|function| function.is_test).count();
        if tests < 100 {
            return Err(Broken(format!("only {tests} tests were found: the lint is blind")).into());
        }
        let mut findings = findings(&files);
        findings.extend(needless_exceptions(&files));
        assert!(findings.is_empty(), "{}", findings.join("\n"));
        Ok(())
    });
}

#[test]
fn flk_07_the_lint_finds_each_kind_of_mistake() {
    let body = |line: &str| {
        let text = format!("#[test]\nfn a() {{\n    {line}\n}}\n");
        findings(&BTreeMap::from([("new.rs".to_owned(), text)]))
    };
    // Put together, so that they are not found in this file.
    let (sleep, port) = (["thread::sle", "ep(second)"].concat(), 7233 + 1);
    for (line, mistake) in [
        (format!("assert!(true); {sleep};"), "a fixed sleep"),
        (format!("assert_eq!(port, {port});"), "a default port"),
        (
            "assert!(row.name.starts_with(\"agent\"));".to_owned(),
            "a part of a resource's name",
        ),
        (
            ["assert!(ready.aw", "ait);"].concat(),
            "a waits without a deadline",
        ),
        ("let _ = 1 + 1;".to_owned(), "a asserts nothing"),
    ] {
        let found = body(&line);
        assert!(
            found.len() == 1 && found[0].contains(mistake),
            "{line}: {found:?}"
        );
    }
    assert_eq!(body("assert_eq!(name, \"agent\");"), [""; 0]);
}
