//! Lines of level ERROR that may be, each with its reason.

use serde::{Deserialize, Serialize};

/// Lines of level ERROR that a test provokes, or that are nobody's fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedError {
    /// Whose log has it, such as `stigmer-server`.
    pub component: String,
    /// What the line says, in part.
    pub text: String,
    /// Why it is right.
    pub reason: String,
    /// How many lines there were.
    pub lines: usize,
    /// Whether there may be none.
    #[serde(default)]
    pub optional: bool,
}

impl ExpectedError {
    pub(in crate::harness) fn new(component: &str, text: &str, reason: &str) -> Self {
        Self {
            component: component.to_owned(),
            text: text.to_owned(),
            reason: reason.to_owned(),
            lines: 0,
            optional: false,
        }
    }

    /// The same, and it need not come.
    pub(in crate::harness) fn if_any(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    fn is(&self, component: &str, line: &str) -> bool {
        self.component == component && line.contains(&self.text)
    }
}

/// A line that may be in the logs of any test, and need not be.
pub(super) struct Everywhere {
    component: &'static str,
    text: &'static str,
    /// Why nobody is at fault.
    reason: &'static str,
}

/// All of them.
pub(super) const EVERYWHERE: [Everywhere; 2] = [
    Everywhere {
        component: "temporal",
        text: "context canceled",
        reason: "whoever waited for a workflow left before its end, which Temporal counts as a failure of its own",
    },
    Everywhere {
        component: "temporal",
        text: "Frontend is not healthy yet",
        reason: "whoever asks a Temporal that has just started is told to ask again, which it counts as a failure of its own",
    },
];

/// The exceptions of one test, and which of them were needed.
pub(super) struct Exceptions {
    everywhere: &'static [Everywhere],
    announced: Vec<ExpectedError>,
    excused: Vec<ExpectedError>,
}

impl Exceptions {
    pub(super) fn new(everywhere: &'static [Everywhere], announced: Vec<ExpectedError>) -> Self {
        Self {
            everywhere,
            announced,
            excused: Vec::new(),
        }
    }

    /// Whether `line` may be. It is counted then.
    pub(super) fn allow(&mut self, component: &str, line: &str) -> bool {
        let mut known = self.announced.iter_mut().chain(&mut self.excused);
        if let Some(expected) = known.find(|expected| expected.is(component, line)) {
            expected.lines += 1;
            return true;
        }
        let mut everywhere = self.everywhere.iter();
        let one = everywhere.find(|one| one.component == component && line.contains(one.text));
        self.excused.extend(one.map(|one| ExpectedError {
            lines: 1,
            ..ExpectedError::new(one.component, one.text, one.reason)
        }));
        one.is_some()
    }

    /// What the test announced and did not happen, one line each.
    pub(super) fn missed(&self) -> Vec<String> {
        let missed = self.announced.iter();
        let missed = missed.filter(|expected| expected.lines == 0 && !expected.optional);
        missed
            .map(|expected| {
                format!(
                    "{} was expected to log an error with {:?} ({}), and did not",
                    expected.component, expected.text, expected.reason
                )
            })
            .collect()
    }

    /// What the test announced and what was excused, with how often it happened.
    pub(super) fn into_seen(self) -> Vec<ExpectedError> {
        [self.announced, self.excused].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_anywhere_is_counted_with_its_reason() {
        let mut exceptions = Exceptions::new(&EVERYWHERE, Vec::new());
        let line = r#"time=2026-11-24T14:13:58.936 level=ERROR error="context canceled""#;
        assert!(exceptions.allow("temporal", line) && exceptions.allow("temporal", line));
        assert!(!exceptions.allow("stigmer-server", line));
        let seen = exceptions.into_seen();
        assert_eq!((seen.len(), seen[0].lines), (1, 2));
        assert_eq!(seen[0].reason, EVERYWHERE[0].reason);
    }
}
