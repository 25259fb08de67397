//! Tests that are set aside because of what they would meet: each with the reason why it proves nothing
//! there, or may not run there.

use stigmer_e2e_plan::{ExitCode, Runtime, ServerAddress, failure};

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

/// The beginning of the paths of tests that ask a server of somebody else, and only read.
const REMOTE: &str = "remote::";

/// What tests would meet.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// In what the parts of a stack run.
    pub runtime: &'a Runtime,
    /// The server of somebody else in place of a stack.
    pub server: Option<&'a ServerAddress>,
}

/// Why the test at `path` is not for `place`; nothing if it is.
fn obstacle(path: &str, place: Place<'_>) -> Option<&'static str> {
    match (path.starts_with(REMOTE), place.server.is_some()) {
        (true, true) => return None,
        (true, false) => return Some("it asks a server of somebody else"),
        (false, true) => return Some("it needs a stack of its own"),
        (false, false) => {}
    }
    let table = match place.runtime.needs_engine() {
        true => PROCESSES.as_slice(),
        false => CONTAINERS.as_slice(),
    };
    let row = table.iter().find(|(start, _)| path.starts_with(start));
    row.map(|(_, reason)| *reason)
}

/// Parts `selected` into what runs in `place` and what does not.
///
/// # Errors
///
/// When nothing is left: whoever selected that wanted something else.
pub fn fit(
    selected: Vec<SuiteTest>,
    place: Place<'_>,
) -> anyhow::Result<(Vec<SuiteTest>, Vec<SetAside>)> {
    let (mut fit, mut aside) = (Vec::new(), Vec::new());
    for test in selected {
        match obstacle(&test.path, place) {
            Some(reason) => aside.push(SetAside {
                name: test.path,
                reason,
            }),
            None => fit.push(test),
        }
    }
    match (fit.is_empty(), aside.first()) {
        (true, Some(first)) => Err(nothing_left(first, place)),
        _ => Ok((fit, aside)),
    }
}

fn nothing_left(SetAside { name, reason }: &SetAside, place: Place<'_>) -> anyhow::Error {
    let Place { runtime, server } = place;
    let (here, fix) = match server {
        Some(server) => (
            format!("--server {server}"),
            "choose tests of the module `remote`, or leave --server away".to_owned(),
        ),
        None if name.starts_with(REMOTE) => (
            format!("--runtime {runtime}"),
            "add --server <host>:<port>".to_owned(),
        ),
        None => {
            let other = match runtime.needs_engine() {
                true => Runtime::default(),
                false => Runtime::docker(),
            };
            (
                format!("--runtime {runtime}"),
                format!("use `--runtime {other}`"),
            )
        }
    };
    let cause = format!("nothing selected runs with `{here}`: {name} does not, since {reason}");
    failure(ExitCode::NothingRan, cause, fix)
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

    const TESTS: [&str; 4] = [
        "daemon::dmn_01_x",
        "smoke::smk_01_y",
        "containers::smk_04_z",
        "remote::ext_08_r",
    ];

    #[test]
    fn a_test_that_needs_something_else_is_set_aside_with_its_reason() {
        let given = "h:1".parse().unwrap();
        let (processes, docker) = (Runtime::default(), Runtime::docker());
        for (runtime, server, aside, reason) in [
            (&docker, None, vec![TESTS[0], TESTS[3]], "processes"),
            (&processes, None, vec![TESTS[2], TESTS[3]], "containers"),
            (&processes, Some(&given), TESTS[..3].to_vec(), "its own"),
        ] {
            let place = Place { runtime, server };
            let (fit, found) = fit(TESTS.map(test).into(), place).unwrap();
            assert_eq!(fit.len() + found.len(), TESTS.len());
            let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, aside);
            assert!(found[0].reason.contains(reason), "{found:?}");
        }
    }

    #[test]
    fn a_selection_of_which_nothing_runs_is_an_error_that_says_why() {
        let given = "h:1".parse().unwrap();
        let (processes, docker) = (Runtime::default(), Runtime::docker());
        for (path, runtime, server, why, fix) in [
            (
                TESTS[0],
                &docker,
                None,
                "since the daemon",
                "use `--runtime process`",
            ),
            (
                TESTS[0],
                &processes,
                Some(&given),
                "a stack of its own",
                "leave --server away",
            ),
            (
                TESTS[3],
                &processes,
                None,
                "somebody else",
                "add --server <host>:<port>",
            ),
        ] {
            let place = Place { runtime, server };
            let error = fit(vec![test(path)], place).unwrap_err().to_string();
            assert!(error.contains(why) && error.ends_with(fix), "{error}");
        }
    }
}
