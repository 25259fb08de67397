//! Whether a failure came back.

use super::record::Outcome;

/// What became of a test that was run again.
#[derive(Debug, PartialEq, Eq)]
pub enum Again {
    /// It failed at the same place.
    CameBack,
    /// It failed in another way, which is told.
    Otherwise(String),
    /// It passed, or was skipped.
    DidNot(String),
    /// It did not run.
    NotRun,
}

impl Again {
    /// Compares how a test ended with how it ended in the second run.
    pub fn of(before: &Outcome, after: Option<&Outcome>) -> Self {
        let Some(after) = after else {
            return Self::NotRun;
        };
        if !after.is_red() {
            return Self::DidNot(after.verdict.clone());
        }
        match after.verdict == before.verdict && after.symptom() == before.symptom() {
            true => Self::CameBack,
            false => Self::Otherwise(after.in_short()),
        }
    }
}

impl std::fmt::Display for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CameBack => f.write_str("came back"),
            Self::Otherwise(how) => write!(f, "failed in another way: {how}"),
            Self::DidNot(verdict) => write!(f, "did not come back: {verdict}"),
            Self::NotRun => f.write_str("did not run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::repro::record::Failure;

    fn outcome(verdict: &str, location: Option<&str>) -> Outcome {
        Outcome {
            name: "a::b".to_owned(),
            verdict: verdict.to_owned(),
            failure: location.map(|location| Failure {
                location: location.to_owned(),
                message: "it broke\nthere".to_owned(),
            }),
            teardown_findings: Vec::new(),
        }
    }

    #[test]
    fn what_was_found_after_a_test_comes_back_whatever_its_numbers_are() {
        let found = |finding: &str| Outcome {
            teardown_findings: vec![finding.to_owned()],
            ..outcome("failed", None)
        };
        let before = found("left behind and killed: sleep (pid 123) in /tmp/a");
        let same = found("left behind and killed: sleep (pid 77) in /tmp/b");
        assert_eq!(Again::of(&before, Some(&same)), Again::CameBack);
        let other = found("the hub was asked for something that no test expects");
        assert!(matches!(
            Again::of(&before, Some(&other)),
            Again::Otherwise(_)
        ));
    }

    #[test]
    fn a_failure_comes_back_at_its_own_place_only() {
        let before = outcome("failed", Some("a.rs:1:2"));
        let again = |after| Again::of(&before, Some(&after));
        assert_eq!(again(outcome("failed", Some("a.rs:1:2"))), Again::CameBack);
        let elsewhere = Again::Otherwise("a.rs:9:9: it broke".to_owned());
        assert_eq!(again(outcome("failed", Some("a.rs:9:9"))), elsewhere);
        assert_eq!(
            again(outcome("passed", None)),
            Again::DidNot("passed".to_owned())
        );
        assert_eq!(Again::of(&before, None), Again::NotRun);
    }
}
