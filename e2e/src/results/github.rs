//! What GitHub shows of a run: an annotation at the line of each failure, and a summary of the job.

use std::{env, fs::OpenOptions, io::Write as _};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use super::{Summary, TestOutcome};

/// GitHub shows no more annotations of a step than this.
const ANNOTATIONS: usize = 10;
/// So many failures are told whole in the summary, which may be a megabyte long.
const TOLD: usize = 20;
/// The longest message in the summary, in characters.
const MESSAGE: usize = 8_000;

/// The job of GitHub Actions that this process belongs to.
pub struct GitHub {
    summary: Option<Utf8PathBuf>,
}

impl GitHub {
    /// The job, if the environment names one.
    pub fn here() -> Option<Self> {
        let is_job = env::var("GITHUB_ACTIONS").is_ok_and(|it| it == "true");
        is_job.then(|| Self {
            summary: env::var("GITHUB_STEP_SUMMARY").ok().map(Utf8PathBuf::from),
        })
    }

    /// Shows the run. Standard error takes commands, too, and keeps standard output as it is.
    ///
    /// # Errors
    ///
    /// When the summary cannot be written.
    pub fn show(&self, summary: &Summary, outcomes: &[TestOutcome]) -> Result<()> {
        eprint!("{}", annotations(outcomes));
        let Some(file) = &self.summary else {
            return Ok(());
        };
        // Earlier commands of the step may have written there.
        let mut open = OpenOptions::new().create(true).append(true).open(file);
        let written = open
            .as_mut()
            .map_err(|error| std::io::Error::new(error.kind(), error.to_string()))
            .and_then(|file| file.write_all(markdown(summary, outcomes).as_bytes()));
        written.with_context(|| format!("failed to write the summary of the job, {file}"))
    }
}

/// One workflow command per red test, as far as they are shown.
fn annotations(outcomes: &[TestOutcome]) -> String {
    let red: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_red()).collect();
    let more = red.len().saturating_sub(ANNOTATIONS);
    let shown = red.iter().take(ANNOTATIONS).map(|outcome| {
        let message = outcome.message.as_deref().unwrap_or_default();
        let mut properties = place(outcome.location.as_deref().unwrap_or_default());
        properties.push(format!("title={}", property(outcome.function())));
        format!("::error {}::{}\n", properties.join(","), escaped(message))
    });
    let mut text: String = shown.collect();
    if more > 0 {
        text.push_str(&format!(
            "::error title=stigmer-e2e::{more} more tests failed\n"
        ));
    }
    text
}

/// `file:line:column` as properties; none of another text.
fn place(location: &str) -> Vec<String> {
    let mut parts = location.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (file, line, column) {
        (Some(file), Some(line), Some(column)) if is_number(line) && is_number(column) => vec![
            format!("file={}", property(file)),
            format!("line={line}"),
            format!("col={column}"),
        ],
        _ => Vec::new(),
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

fn markdown(summary: &Summary, outcomes: &[TestOutcome]) -> String {
    let sign = if summary.exit_code == 0 { "✅" } else { "❌" };
    let mut text = format!("## {sign} stigmer-e2e: {}\n\n", summary.verdict.words());
    for (name, value) in summary.lines().into_iter().skip(1) {
        let value = match name {
            "again" => format!("`{value}`"),
            _ => value,
        };
        text.push_str(&format!("- **{name}** {value}\n"));
    }
    text.push_str(&format!("\n{}\n", super::last_line(&summary.tally)));
    let red: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_red()).collect();
    for outcome in red.iter().take(TOLD) {
        let message: String = outcome
            .message
            .iter()
            .flat_map(|it| it.chars())
            .take(MESSAGE)
            .collect();
        // A fence that is longer than any in the text.
        let fence = "`".repeat(longest_run(&message).max(2) + 1);
        text.push_str(&format!(
            "\n### ❌ {} {}\n\n{fence}\n{message}\n{fence}\n",
            outcome.ids.join(" "),
            outcome.function(),
        ));
    }
    if red.len() > TOLD {
        text.push_str(&format!("\n… and {} more\n", red.len() - TOLD));
    }
    text
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::TestVerdict;

    fn red(name: &str) -> TestOutcome {
        TestOutcome {
            verdict: TestVerdict::Failed,
            message: Some("50 % of:\n```x```".to_owned()),
            location: Some("e2e/tests/suite/run.rs:7:9".to_owned()),
            ..TestOutcome::new(name, &["RUN-01".to_owned()])
        }
    }

    #[test]
    fn a_failure_is_an_annotation_at_its_line_with_its_text_escaped() {
        let passed = TestOutcome {
            verdict: TestVerdict::Passed,
            ..red("m::ok")
        };
        assert_eq!(
            annotations(&[passed, red("m::run_01_x")]),
            "::error file=e2e/tests/suite/run.rs,line=7,col=9,title=run_01_x::50 %25 of:%0A```x```\n"
        );
        let nowhere = TestOutcome {
            location: None,
            ..red("m::a")
        };
        assert!(annotations(&[nowhere]).starts_with("::error title=a::"));
    }

    #[test]
    fn what_github_would_not_show_is_counted() {
        let many: Vec<_> = (0..13).map(|n| red(&format!("t{n}"))).collect();
        let text = annotations(&many);
        assert_eq!(text.lines().count(), 11);
        assert!(text.ends_with("::3 more tests failed\n"), "{text}");
    }

    #[test]
    fn the_summary_has_the_verdict_the_failures_and_the_way_back() {
        let outcomes = [red("m::run_01_x")];
        let summary = Summary::of("r1", 7, "/c".into(), "/c/results/r1".into(), &outcomes);
        let text = markdown(&summary, &outcomes);
        for part in [
            "- **again** `cargo xtask repro results/r1 run_01_x --seed 7`",
            "### ❌ RUN-01 run_01_x\n\n````\n50 % of:\n```x```\n````\n",
            "0 passed, 1 failed, 0 skipped",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
}
