//! The language of nextest: what it is told (metadata, configuration, arguments) and what it says.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::{Value, json};
use stigmer_e2e::harness::budget::{self, Budget};
use stigmer_e2e_plan::Tier;

use super::{selection::SuiteTest, shuffle::Order};

/// The group of tests that share the model: one at a time.
const MODEL_GROUP: &str = "llm";
/// How much longer nextest lets a test run than its budget. A test ends itself when that is used up
/// and says at which step it was; this is for one that cannot even do that, its teardown included.
const MARGIN_SECONDS: u64 = 30;

/// When nextest kills the test at `path`, in seconds.
pub fn kill_after(path: &str) -> u64 {
    budget::of_test(path).limit.as_secs() + MARGIN_SECONDS
}

/// The configuration for a run of `tests`.
pub fn config(jobs: usize, order: &Order, tests: &[SuiteTest]) -> String {
    let mut text = format!(
        "[test-groups]\n{MODEL_GROUP} = {{ max-threads = 1 }}\n\n\
         [profile.default]\nfail-fast = false\nretries = 0\ntest-threads = {jobs}\n\
         {}\n",
        slow_timeout(budget::TEST)
    );
    for (priority, names) in order.priorities() {
        text.push_str(&override_for(
            names.iter().map(String::as_str),
            &format!("priority = {priority}"),
        ));
    }
    let group = format!("test-group = \"{MODEL_GROUP}\"\n");
    // The first override that fits a test counts.
    let special = [
        (
            paths(tests, |test| test.tier == Tier::Weekly),
            slow_timeout(budget::WEEKLY_TEST),
        ),
        (
            paths(tests, |test| test.tier == Tier::Nightly),
            slow_timeout(budget::NIGHTLY_TEST),
        ),
        (
            paths(tests, |test| test.real_model),
            group + &slow_timeout(budget::REAL_TEST),
        ),
    ];
    for (paths, setting) in special.iter().filter(|(paths, _)| !paths.is_empty()) {
        text.push_str(&override_for(paths.iter().copied(), setting));
    }
    text
}

fn paths(tests: &[SuiteTest], which: impl Fn(&SuiteTest) -> bool) -> Vec<&str> {
    let chosen = tests.iter().filter(|test| which(test));
    chosen.map(|test| test.path.as_str()).collect()
}

fn slow_timeout(budget: Budget) -> String {
    let seconds = budget.limit.as_secs() + MARGIN_SECONDS;
    format!(
        "slow-timeout = {{ period = \"{seconds}s\", terminate-after = 1, grace-period = \"5s\" }}"
    )
}

fn override_for<'a>(names: impl Iterator<Item = &'a str>, setting: &str) -> String {
    let filter: Vec<_> = names.map(|name| format!("test(={name})")).collect();
    format!(
        "\n[[profile.default.overrides]]\nfilter = \"{}\"\n{setting}\n",
        filter.join(" | ")
    )
}

/// What `cargo metadata` would say about the suite's package, as far as nextest reads it.
pub fn cargo_metadata(root: &Utf8Path) -> Value {
    let package = package_id(root);
    json!({
        "version": 1,
        "workspace_root": root,
        "target_directory": root.join("target"),
        "workspace_members": [package],
        "packages": [{
            "name": "stigmer-e2e",
            "version": "0.1.0",
            "id": package,
            "edition": "2024",
            "manifest_path": root.join("e2e/Cargo.toml"),
            "dependencies": [],
            "features": {},
            "targets": [{
                "kind": ["test"],
                "crate_types": ["bin"],
                "name": "suite",
                "src_path": root.join("e2e/tests/suite/main.rs"),
                "edition": "2024",
                "doc": false,
                "doctest": false,
                "test": true,
            }],
        }],
        "resolve": {
            "root": package,
            "nodes": [{"id": package, "dependencies": [], "deps": [], "features": []}],
        },
        "metadata": null,
    })
}

/// What `cargo nextest list --list-type binaries-only` would say about the suite.
pub fn binaries_metadata(root: &Utf8Path, suite: &Utf8Path) -> Value {
    json!({
        "rust-build-meta": {
            "target-directory": root.join("target"),
            "base-output-directories": [],
            "non-test-binaries": {},
            "build-script-out-dirs": {},
            "linked-paths": [],
            "target-platforms": [],
            "target-platform": null,
        },
        "rust-binaries": {
            "stigmer-e2e::suite": {
                "binary-id": "stigmer-e2e::suite",
                "binary-name": "suite",
                "package-id": package_id(root),
                "kind": "test",
                "binary-path": suite,
                "build-platform": "target",
            },
        },
    })
}

fn package_id(root: &Utf8Path) -> String {
    format!("path+file://{}#stigmer-e2e@0.1.0", root.join("e2e"))
}

/// Where the files for nextest are.
#[derive(Clone, Debug)]
pub struct Files {
    /// The configuration.
    pub config: Utf8PathBuf,
    /// The metadata of the package.
    pub cargo_metadata: Utf8PathBuf,
    /// The metadata of the suite.
    pub binaries_metadata: Utf8PathBuf,
}

/// The arguments of a run of exactly `tests`. Cargo is never asked for anything.
pub fn arguments(files: &Files, tests: &[SuiteTest]) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "nextest",
        "run",
        "--profile",
        "default",
        "--config-file",
        files.config.as_str(),
        "--user-config-file",
        "none",
        "--cargo-metadata",
        files.cargo_metadata.as_str(),
        "--binaries-metadata",
        files.binaries_metadata.as_str(),
        "--message-format",
        "libtest-json-plus",
        "--no-input-handler",
        // Only tests that are named run, and one that is named is meant.
        "--run-ignored",
        "all",
        "--color",
        "never",
        "--",
        "--exact",
    ]
    .map(str::to_owned)
    .into();
    arguments.extend(tests.iter().map(|test| test.path.clone()));
    arguments
}

/// Something that nextest says.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A test has begun.
    Started {
        /// Its path.
        test: String,
    },
    /// A test has ended.
    Ended {
        /// Its path.
        test: String,
        /// How.
        end: End,
        /// How long it took, in seconds.
        seconds: f64,
        /// What it printed, when it failed.
        printed: Option<String>,
    },
}

/// How nextest saw a test end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Exit code zero.
    Passed,
    /// Another exit code, or a signal.
    Failed,
    /// Killed when its time was up.
    TimedOut,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    name: Option<String>,
    #[serde(default)]
    exec_time: f64,
    stdout: Option<String>,
    reason: Option<String>,
}

/// Understands a line of nextest's output; nothing when it is about no test.
///
/// # Errors
///
/// When it is no JSON of the expected shape, which means another version of nextest.
pub fn parse(line: &str) -> Result<Option<Message>, serde_json::Error> {
    let line: Line = serde_json::from_str(line)?;
    let (true, Some(name)) = (line.kind == "test", line.name) else {
        return Ok(None);
    };
    // `package::binary$path`.
    let test = name
        .split_once('$')
        .map_or(name.as_str(), |(_, path)| path)
        .to_owned();
    let end = match line.event.as_str() {
        "started" => return Ok(Some(Message::Started { test })),
        "ok" => End::Passed,
        "failed" if line.reason.as_deref() == Some("time limit exceeded") => End::TimedOut,
        "failed" => End::Failed,
        // "ignored": it was not selected.
        _ => return Ok(None),
    };
    Ok(Some(Message::Ended {
        test,
        end,
        seconds: line.exec_time,
        printed: line.stdout,
    }))
}

#[cfg(test)]
mod tests;
