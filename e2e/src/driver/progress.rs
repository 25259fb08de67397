//! What the user sees while tests run: on a terminal a bar and what is not green, elsewhere one line
//! per finished test, and events for `--json`.

use std::{io::IsTerminal, time::Duration};

use camino::Utf8PathBuf;
use indicatif::{ProgressBar, ProgressStyle};
use stigmer_e2e_plan::{Output, Plan, Style, repro_command};

use super::board::Board;
use crate::results::{Tally, TestOutcome, TestVerdict};

/// How many lines of a failure are worth the screen.
const MESSAGE_LINES: usize = 20;

/// Live progress of the test phase.
pub struct Progress {
    output: Output,
    again: Again,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of the `total` tests of `plan`.
    pub fn new(plan: &Plan, total: usize) -> Self {
        let output = Output::new(plan.json);
        let is_live =
            !output.json && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self {
            output,
            again: Again {
                root: plan.root.clone(),
                results: plan.results.clone(),
                seed: plan.seed,
            },
            bar: is_live.then(|| bar(total)),
        }
    }

    /// Shows what runs now.
    pub fn running(&self, board: &Board) {
        if let Some(bar) = &self.bar {
            let tally = Tally::of(board.outcomes());
            let failed = if tally.failed > 0 {
                format!("{} failed · ", tally.failed)
            } else {
                String::new()
            };
            bar.set_message(format!(
                "{failed}{}",
                board.running().collect::<Vec<_>>().join(" · ")
            ));
        }
    }

    /// Shows a test that has ended.
    pub fn ended(&self, outcome: &TestOutcome) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if outcome.verdict == TestVerdict::Passed {
                return;
            }
        }
        let text = text(self.output, outcome, &self.again);
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.line(&text)),
            None => self.output.line(&text),
        }
    }
}

/// What a test is run again from.
struct Again {
    root: Utf8PathBuf,
    results: Utf8PathBuf,
    seed: u64,
}

impl Again {
    fn of(&self, test: &str) -> String {
        repro_command(&self.root, &self.results, Some(test), self.seed)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    let style =
        ProgressStyle::with_template("  test       {pos}/{len} {bar:20} {elapsed} {wide_msg:.dim}");
    bar.set_style(style.expect("the template is valid"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// One line, and for a red test what it says and how to run it again.
fn text(output: Output, outcome: &TestOutcome, again: &Again) -> String {
    let (word, style) = match outcome.verdict {
        TestVerdict::Passed => ("PASS", Style::Green),
        TestVerdict::Failed => ("FAIL", Style::Red),
        TestVerdict::TimedOut => ("TIMEOUT", Style::Red),
        TestVerdict::Skipped => ("SKIP", Style::Yellow),
        TestVerdict::Running | TestVerdict::NotRun => ("ABORT", Style::Yellow),
    };
    let seconds = outcome.ms.unwrap_or_default() as f64 / 1000.0;
    let mut text = format!(
        "  {} {seconds:>7.2} s  {}",
        output.paint(style, &format!("{word:<7}")),
        outcome.function()
    );
    let message = outcome.message.as_deref().unwrap_or_default();
    if outcome.verdict == TestVerdict::Skipped {
        text.push_str(&format!("  ({message})"));
    } else if outcome.is_red() {
        let lines: Vec<_> = message.lines().collect();
        for line in lines.iter().take(MESSAGE_LINES) {
            text.push_str(&format!("\n            {line}"));
        }
        if lines.len() > MESSAGE_LINES {
            text.push_str(&format!(
                "\n            ({} more lines in the results)",
                lines.len() - MESSAGE_LINES
            ));
        }
        text.push_str(&format!(
            "\n            again: {}",
            again.of(outcome.function())
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(verdict: TestVerdict, message: &str) -> String {
        let outcome = TestOutcome {
            verdict,
            ms: Some(1234),
            message: Some(message.into()),
            ..TestOutcome::new("m::app_01_x", &[])
        };
        let again = Again {
            root: "/c".into(),
            results: "/c/results/r".into(),
            seed: 42,
        };
        text(Output::plain(false), &outcome, &again)
    }

    #[test]
    fn a_passed_test_is_one_line() {
        assert_eq!(
            shown(TestVerdict::Passed, ""),
            "  PASS       1.23 s  app_01_x"
        );
    }

    #[test]
    fn a_failed_test_says_what_and_how_to_run_it_again() {
        let text = shown(TestVerdict::Failed, "awaited 2 rows\nsaw 1");
        assert_eq!(
            text,
            "  FAIL       1.23 s  app_01_x\n            awaited 2 rows\n            saw 1\n            again: cargo xtask repro results/r app_01_x --seed 42"
        );
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        let text = shown(TestVerdict::Failed, &"line\n".repeat(50));
        assert!(text.contains("(30 more lines in the results)"), "{text}");
    }

    #[test]
    fn a_skipped_test_says_why() {
        assert_eq!(
            shown(TestVerdict::Skipped, "no model"),
            "  SKIP       1.23 s  app_01_x  (no model)"
        );
    }
}
