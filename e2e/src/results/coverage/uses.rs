//! What the tests used of the product, next to all that there is: gRPC methods, CLI commands, and kinds
//! of workflow tasks.

use camino::Utf8Path;
use serde::Serialize;
use stigmer_api::DESCRIPTORS;
use stigmer_e2e_report::{Counts, Used};

/// The enum of the kinds of tasks.
const KINDS: &str = "ai.stigmer.commons.apiresource.WorkflowTaskKind";
/// What the names of its values begin with.
const KIND: &str = "WORKFLOW_TASK_KIND_";

/// What the tests used. What the contract has and no test used is in it, with no endings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Uses(Used);

impl Uses {
    /// Counts over the folders of the tests in `tests`.
    pub fn read(tests: &Utf8Path) -> Self {
        let mut used = Used::by_tests_in(tests);
        for service in DESCRIPTORS.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                used.methods.entry(path).or_default();
            }
        }
        let kinds = DESCRIPTORS.get_enum_by_name(KINDS);
        for kind in kinds.iter().flat_map(|kinds| kinds.values()) {
            // Number 0 says that there is none.
            if let (1.., Some(name)) = (kind.number(), kind.name().strip_prefix(KIND)) {
                used.tasks.entry(name.to_owned()).or_default();
            }
        }
        Self(used)
    }

    /// The tables for people.
    pub fn markdown(&self) -> String {
        let tables = [
            ("Kinds of workflow tasks", "Kind", &self.0.tasks),
            ("Commands", "Command", &self.0.commands),
            ("Methods called by tests", "Method", &self.0.methods),
        ];
        tables
            .map(|(title, head, counts)| table(title, head, counts))
            .concat()
    }
}

fn table(title: &str, head: &str, counts: &Counts) -> String {
    let used = counts
        .values()
        .filter(|endings| !endings.is_empty())
        .count();
    let mut text = format!(
        "\n# {title}\n\n{used} of {} used in this run.\n\n| {head} | Ended |\n|---|---|\n",
        counts.len()
    );
    for (name, endings) in counts {
        let endings: Vec<_> = endings
            .iter()
            .map(|(ending, times)| format!("{ending} ({times})"))
            .collect();
        let cell = match endings.as_slice() {
            [] => "–".to_owned(),
            endings => endings.join(", "),
        };
        text.push_str(&format!("| `{name}` | {cell} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_test_used_is_listed_too() {
        let uses = Uses::read(Utf8Path::new("/nowhere"));
        assert_eq!(uses.0.tasks.len(), 13);
        let text = uses.markdown();
        assert!(text.contains("\n0 of 13 used in this run.\n"), "{text}");
        assert!(text.contains("\n| `AGENT_CALL` | – |\n"), "{text}");
        let get = "/ai.stigmer.agentic.agent.v1.AgentQueryController/get";
        assert!(text.contains(&format!("\n| `{get}` | – |\n")), "{text}");
    }

    #[test]
    fn endings_are_counted_side_by_side() {
        let mut used = Used::default();
        let wait = used.tasks.entry("WAIT".to_owned()).or_default();
        wait.extend([("COMPLETED".to_owned(), 2), ("FAILED".to_owned(), 1)]);
        let text = Uses(used).markdown();
        assert!(
            text.contains("\n| `WAIT` | COMPLETED (2), FAILED (1) |\n"),
            "{text}"
        );
    }
}
