//! What became of a fault.

use serde::Serialize;
use stigmer_e2e_plan::{ExitCode, columns};

use super::table::Mutant;
use crate::verbs::repro::Outcome;

/// What became of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// These tests were red.
    Killed(Vec<String>),
    /// It did its damage, and every test was green.
    Survived,
    /// No process came by it: its tests say nothing about it.
    NotReached,
    /// The run came to no verdict about its tests, and ended with this exit code.
    NoVerdict(u8),
}

impl Fate {
    /// The fate of a fault whose run ended with `code`, its tests with `outcomes`. `reached` says
    /// whether a process came by it.
    pub fn of(code: ExitCode, outcomes: &[Outcome], reached: bool) -> Self {
        let came_to_a_verdict = matches!(
            code,
            ExitCode::Success | ExitCode::TestsFailed | ExitCode::Leftovers
        );
        if !came_to_a_verdict {
            return Self::NoVerdict(code as u8);
        }
        if !reached {
            return Self::NotReached;
        }
        let red = outcomes.iter().filter(|outcome| outcome.is_red());
        let red = red.map(|outcome| outcome.function().to_owned());
        match red.collect::<Vec<_>>() {
            none if none.is_empty() => Self::Survived,
            red => Self::Killed(red),
        }
    }

    /// As the table says it.
    fn label(&self) -> String {
        match self {
            Self::Killed(_) => "killed".to_owned(),
            Self::Survived => "SURVIVED".to_owned(),
            Self::NotReached => "NOT REACHED".to_owned(),
            Self::NoVerdict(code) => format!("NO VERDICT (exit code {code})"),
        }
    }

    fn killers(&self) -> &[String] {
        match self {
            Self::Killed(tests) => tests,
            _ => &[],
        }
    }
}

/// A fault and what became of it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The fault.
    pub fault: &'static str,
    /// What it does.
    pub damage: &'static str,
    /// The tests that were asked.
    pub tests: &'static [&'static str],
    /// What they said.
    pub fate: Fate,
    /// How long that took, in milliseconds.
    pub ms: u64,
}

impl Row {
    /// The row of `mutant`.
    pub fn new(mutant: &Mutant, fate: Fate, ms: u64) -> Self {
        Self {
            fault: mutant.fault,
            damage: mutant.damage,
            tests: mutant.tests,
            fate,
            ms,
        }
    }

    /// One line for the terminal.
    pub fn line(&self) -> String {
        match self.fate.killers() {
            [] => self.fate.label(),
            tests => format!(
                "killed by {}",
                tests
                    .iter()
                    .map(|test| id(test))
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        }
    }
}

/// The scenario that a test is named after: `RUN-02` of `run_02_the_record…`.
fn id(test: &str) -> String {
    let words: Vec<_> = test.split('_').take(2).collect();
    words.join("-").to_uppercase()
}

/// The table for the terminal.
pub fn table(rows: &[Row]) -> String {
    let head = ["fault", "fate", "by"].map(str::to_owned).to_vec();
    let body = rows.iter().map(|row| {
        vec![
            row.fault.to_owned(),
            row.fate.label(),
            row.fate.killers().join(" "),
        ]
    });
    columns(&std::iter::once(head).chain(body).collect::<Vec<_>>())
}

/// The table as a page.
pub fn page(rows: &[Row]) -> String {
    let mut text =
        "# Deliberate faults\n\n| Fault | What it does | Fate | Red tests |\n|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let killers: Vec<_> = row
            .fate
            .killers()
            .iter()
            .map(|test| format!("`{test}`"))
            .collect();
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            row.fault,
            row.damage,
            row.fate.label(),
            killers.join("<br>")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, verdict: &str) -> Outcome {
        Outcome {
            name: format!("run::{name}"),
            verdict: verdict.to_owned(),
            failure: None,
            teardown_findings: Vec::new(),
        }
    }

    #[test]
    fn a_fault_is_killed_by_red_tests_and_only_when_it_did_damage() {
        let outcomes = [outcome("run_01_x", "passed"), outcome("run_02_y", "failed")];
        let killed = Fate::Killed(vec!["run_02_y".to_owned()]);
        assert_eq!(Fate::of(ExitCode::TestsFailed, &outcomes, true), killed);
        assert_eq!(
            Fate::of(ExitCode::Success, &outcomes[..1], true),
            Fate::Survived
        );
        assert_eq!(
            Fate::of(ExitCode::TestsFailed, &outcomes, false),
            Fate::NotReached
        );
    }

    #[test]
    fn a_run_that_broke_off_says_nothing_about_its_fault() {
        let outcomes = [outcome("run_02_y", "running")];
        assert_eq!(
            Fate::of(ExitCode::ServiceFailed, &outcomes, true),
            Fate::NoVerdict(98)
        );
    }

    #[test]
    fn a_line_names_scenarios() {
        let mutant = &super::super::table::MUTANTS[0];
        let row = |fate| Row::new(mutant, fate, 1).line();
        assert_eq!(
            row(Fate::Killed(vec!["run_02_y".into()])),
            "killed by RUN-02"
        );
        assert_eq!(row(Fate::Survived), "SURVIVED");
    }
}
