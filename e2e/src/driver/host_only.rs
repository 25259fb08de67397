//! Tests that are set aside when parts of the stack run in containers: each with the reason why what
//! it proves is about processes of this machine.

use stigmer_e2e_plan::{ExitCode, failure};

use super::selection::SuiteTest;
use crate::results::SetAside;

const PIPELINE: &str = "it is about the pipeline itself, which is a process in any runtime";

/// Beginnings of test paths, and why these tests need processes.
const HOST_ONLY: [(&str, &str); 7] = [
    ("daemon::", "the daemon starts its parts as processes"),
    ("flakiness::", PIPELINE),
    ("isolation::", PIPELINE),
    ("logs::", PIPELINE),
    ("pipeline::", PIPELINE),
    ("prerequisites::", PIPELINE),
    ("speed::", "its budgets are those of processes"),
];

/// Parts `selected` into what runs beside containers and what does not.
///
/// # Errors
///
/// When nothing is left: whoever selected that wanted something else.
pub fn set_aside(selected: Vec<SuiteTest>) -> anyhow::Result<(Vec<SuiteTest>, Vec<SetAside>)> {
    let (mut fit, mut aside) = (Vec::new(), Vec::new());
    for test in selected {
        match HOST_ONLY
            .iter()
            .find(|(path, _)| test.path.starts_with(path))
        {
            Some((_, reason)) => aside.push(SetAside {
                name: test.path,
                reason,
            }),
            None => fit.push(test),
        }
    }
    match (fit.is_empty(), aside.first()) {
        (true, Some(SetAside { name, reason })) => {
            let cause =
                format!("nothing selected runs beside containers: {name} does not, since {reason}");
            Err(failure(
                ExitCode::NothingRan,
                cause,
                "use `--runtime process`",
            ))
        }
        _ => Ok((fit, aside)),
    }
}

#[cfg(test)]
mod tests {
    use stigmer_e2e_plan::Tier;

    use super::*;

    fn test(path: &str) -> SuiteTest {
        SuiteTest {
            path: path.to_owned(),
            ids: Vec::new(),
            real_model: false,
            tier: Tier::Commit,
        }
    }

    #[test]
    fn a_test_of_processes_is_set_aside_with_its_reason_and_others_run() {
        let selected = vec![test("daemon::dmn_01_x"), test("smoke::smk_01_y")];
        let (fit, aside) = set_aside(selected).unwrap();
        assert_eq!(fit, [test("smoke::smk_01_y")]);
        assert_eq!(aside[0].name, "daemon::dmn_01_x");
        assert!(aside[0].reason.contains("processes"));
    }

    #[test]
    fn a_selection_of_which_nothing_runs_is_an_error_that_says_why() {
        let error = set_aside(vec![test("daemon::dmn_01_x")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("dmn_01_x does not, since the daemon"),
            "{error}"
        );
        assert!(error.ends_with("use `--runtime process`"), "{error}");
    }
}
