//! Tests that are set aside because of what the parts of the stack run in: each with the reason why
//! it proves nothing there.

use stigmer_e2e_plan::{ExitCode, Runtime, failure};

use super::selection::SuiteTest;
use crate::results::SetAside;

const PIPELINE: &str = "it is about the pipeline itself, which is a process in any runtime";

/// Beginnings of paths of tests that need processes, and why.
const PROCESSES: [(&str, &str); 7] = [
    ("daemon::", "the daemon starts its parts as processes"),
    ("flakiness::", PIPELINE),
    ("isolation::", PIPELINE),
    ("logs::", PIPELINE),
    ("pipeline::", PIPELINE),
    ("prerequisites::", PIPELINE),
    ("speed::", "its budgets are those of processes"),
];

/// Beginnings of paths of tests that need containers, and why.
const CONTAINERS: [(&str, &str); 1] = [("containers::", "it is about containers")];

/// Parts `selected` into what runs in `runtime` and what does not.
///
/// # Errors
///
/// When nothing is left: whoever selected that wanted something else.
pub fn fit(
    selected: Vec<SuiteTest>,
    runtime: &Runtime,
) -> anyhow::Result<(Vec<SuiteTest>, Vec<SetAside>)> {
    let (table, other) = match runtime.needs_engine() {
        true => (PROCESSES.as_slice(), Runtime::default()),
        false => (CONTAINERS.as_slice(), Runtime::docker()),
    };
    let (mut fit, mut aside) = (Vec::new(), Vec::new());
    for test in selected {
        let row = table.iter().find(|(path, _)| test.path.starts_with(path));
        match row {
            Some((_, reason)) => aside.push(SetAside {
                name: test.path,
                reason,
            }),
            None => fit.push(test),
        }
    }
    match (fit.is_empty(), aside.first()) {
        (true, Some(SetAside { name, reason })) => {
            let cause = format!(
                "nothing selected runs with `--runtime {runtime}`: {name} does not, since {reason}"
            );
            let fix = format!("use `--runtime {other}`");
            Err(failure(ExitCode::NothingRan, cause, fix))
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
    fn a_test_that_needs_the_other_runtime_is_set_aside_with_its_reason() {
        let tests = [
            "daemon::dmn_01_x",
            "smoke::smk_01_y",
            "containers::smk_04_z",
        ];
        let fit_in = |runtime: &Runtime| {
            let (fit, aside) = fit(tests.map(test).into(), runtime).unwrap();
            assert_eq!((fit.len(), aside.len()), (2, 1));
            (aside[0].name.clone(), aside[0].reason)
        };
        let (name, reason) = fit_in(&Runtime::docker());
        assert_eq!(name, "daemon::dmn_01_x");
        assert!(reason.contains("processes"));
        let (name, reason) = fit_in(&Runtime::default());
        assert_eq!(name, "containers::smk_04_z");
        assert!(reason.contains("containers"));
    }

    #[test]
    fn a_selection_of_which_nothing_runs_is_an_error_that_says_why() {
        let error = fit(vec![test("daemon::dmn_01_x")], &Runtime::docker())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("dmn_01_x does not, since the daemon"),
            "{error}"
        );
        assert!(error.ends_with("use `--runtime process`"), "{error}");
    }
}
