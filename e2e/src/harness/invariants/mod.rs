//! What no part of the stack may write, whatever a test does to it: a line that says that it broke, or
//! one of level ERROR. Exceptions are listed, each with its reason.

mod expected;
mod lines;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

pub use expected::ExpectedError;
use expected::{EVERYWHERE, Exceptions};
use lines::{Severity, severity};

use super::{Environment, Part, Test, daemon, shared_logs::TEMPORAL};

/// More lines of one log are only counted.
const SHOWN: usize = 5;

/// A log and whose it is.
pub(super) struct Log {
    /// Its component, such as `stigmer-server`.
    pub(super) component: String,
    /// The file.
    pub(super) path: Utf8PathBuf,
}

/// What the logs of `test` have that they must not have, and what they lack that the test announced.
/// `slice` is what the shared Temporal wrote about it.
pub(super) fn findings(test: &Test, environments: &[Environment], slice: &[String]) -> Vec<String> {
    let mut exceptions = Exceptions::new(&EVERYWHERE, test.expected_errors());
    let own = environments.iter().flat_map(logs_of);
    let mut findings = Vec::new();
    for Log { component, path } in own.chain(daemon::logs_of(test)) {
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        findings.extend(of_log(&component, text.lines(), &mut exceptions));
    }
    let shared = slice.iter().map(String::as_str);
    findings.extend(of_log(TEMPORAL, shared, &mut exceptions));
    findings.extend(exceptions.missed());
    test.update(|record| record.expected_errors = exceptions.into_seen());
    findings
}

fn logs_of(environment: &Environment) -> Vec<Log> {
    let of_part = |part: &Part| Log {
        component: part.component().name().to_owned(),
        path: part.log().to_owned(),
    };
    let own_temporal = environment.own_temporal_if_any().map(|own| Log {
        component: TEMPORAL.to_owned(),
        path: own.log(),
    });
    environment
        .parts()
        .map(of_part)
        .chain(own_temporal)
        .collect()
}

/// The name of a component by its log file: `stigmer-server.log.1` is one of `stigmer-server`.
pub(super) fn component_of(log: &Utf8Path) -> String {
    let name = log.file_name().unwrap_or_default();
    name.split_once(".log")
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

fn of_log<'a>(
    component: &str,
    lines: impl Iterator<Item = &'a str>,
    exceptions: &mut Exceptions,
) -> Vec<String> {
    let mut findings = Vec::new();
    let mut more = 0;
    for line in lines {
        let what = match severity(line) {
            Some(Severity::Broke) => "broke",
            Some(Severity::Error) if exceptions.allow(component, line) => continue,
            Some(Severity::Error) => "logged an error that nobody expected",
            None => continue,
        };
        match findings.len() < SHOWN {
            true => findings.push(format!("{component} {what}: {line}")),
            false => more += 1,
        }
    }
    if more > 0 {
        findings.push(format!("{component}: {more} more such lines"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR: &str = "2026-11-24T14:16:08.227251Z ERROR stigmer_server: the store is gone";

    fn exceptions(expected: &[ExpectedError]) -> Exceptions {
        Exceptions::new(&EVERYWHERE, expected.to_vec())
    }

    #[test]
    fn an_error_is_a_finding_unless_it_was_announced() {
        let found = of_log("stigmer-server", [ERROR].into_iter(), &mut exceptions(&[]));
        assert_eq!(
            found,
            [format!(
                "stigmer-server logged an error that nobody expected: {ERROR}"
            )]
        );
        let announced = ExpectedError::new("stigmer-server", "the store is gone", "it was deleted");
        let mut exceptions = exceptions(&[announced]);
        assert_eq!(
            of_log("stigmer-server", [ERROR].into_iter(), &mut exceptions),
            [""; 0]
        );
        assert_eq!(exceptions.missed(), [""; 0]);
        assert_eq!(exceptions.into_seen()[0].lines, 1);
    }

    #[test]
    fn what_was_announced_and_never_came_is_a_finding() {
        let announced = ExpectedError::new("stigmer-server", "the store is gone", "it was deleted");
        let mut exceptions = exceptions(&[announced]);
        let found = of_log("stigmer-agent-runner", [ERROR].into_iter(), &mut exceptions);
        assert_eq!(found.len(), 1, "another component's line is another line");
        let missed = exceptions.missed();
        assert!(missed[0].contains("the store is gone"), "{missed:?}");
    }

    #[test]
    fn a_program_that_broke_is_never_excused() {
        let panic = "thread 'main' panicked at src/main.rs:1:1:";
        let announced = ExpectedError::new("stigmer-server", "panicked", "it does");
        let found = of_log(
            "stigmer-server",
            [panic].into_iter(),
            &mut exceptions(&[announced]),
        );
        assert_eq!(found, [format!("stigmer-server broke: {panic}")]);
    }

    #[test]
    fn many_lines_are_counted() {
        let found = of_log("x", [ERROR; 8].into_iter(), &mut exceptions(&[]));
        assert_eq!(found.len(), SHOWN + 1);
        assert_eq!(found[SHOWN], "x: 3 more such lines");
    }

    #[test]
    fn a_log_that_was_put_aside_is_still_its_components() {
        assert_eq!(
            component_of("/l/stigmer-server.log".into()),
            "stigmer-server"
        );
        assert_eq!(component_of("/l/temporal.log.1".into()), "temporal");
    }
}
