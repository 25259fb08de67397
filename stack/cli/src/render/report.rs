//! What `--output json` prints: one object with the facts of the text.

use std::io::{self, Write};

use serde::Serialize;

use crate::api::Phase;

/// What `apply` did.
#[derive(Debug, Serialize)]
pub struct ApplyReport<'a> {
    /// Whether nothing was deployed on purpose.
    pub dry_run: bool,
    /// Every resource of the project, in its order.
    pub resources: &'a [ResourceReport],
    /// Why not everything was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What happened to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceReport {
    /// `Agent` or `Workflow`.
    pub r#type: &'static str,
    pub name: String,
    pub status: Change,
    /// Absent when the server does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What deploying did to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A dry run would have deployed it.
    Planned,
    Created,
    Updated,
    /// The server already had it like this.
    Unchanged,
    /// The server refused it.
    Failed,
    /// Not tried, because another one failed.
    Skipped,
}

impl Change {
    /// The word for tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Planned => "Create",
            Self::Created => "✓ Created",
            Self::Updated => "✓ Updated",
            Self::Unchanged => "✓ Unchanged",
            Self::Failed => "✗ Failed",
            Self::Skipped => "- Skipped",
        }
    }
}

/// What `run` did.
#[derive(Debug, Serialize)]
pub struct RunReport<'a> {
    /// What the project in the current directory deployed before.
    pub deployed: &'a [ResourceReport],
    /// `Agent` or `Workflow`.
    pub r#type: &'static str,
    /// The name of what ran.
    pub name: &'a str,
    pub execution_id: &'a str,
    /// The last known phase.
    pub phase: Phase,
    /// The execution's own error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// Prints `report` as one line on standard output.
pub fn print<T: Serialize>(report: &T) {
    // Reports hold texts, numbers, and enums only.
    let json = serde_json::to_string(report).expect("a report is JSON");
    // A reader that has gone away does not change what was done.
    let _ = writeln!(io::stdout(), "{json}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_apply_report_has_the_facts_of_the_table() {
        let resources = [
            ResourceReport {
                r#type: "Agent",
                name: "a".into(),
                status: Change::Created,
                id: Some("agt-1".into()),
            },
            ResourceReport {
                r#type: "Agent",
                name: "b".into(),
                status: Change::Failed,
                id: None,
            },
        ];
        let report = ApplyReport {
            dry_run: false,
            resources: &resources,
            error: Some("no".into()),
        };
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            json!({
                "dry_run": false,
                "resources": [
                    {"type": "Agent", "name": "a", "status": "created", "id": "agt-1"},
                    {"type": "Agent", "name": "b", "status": "failed"},
                ],
                "error": "no",
            })
        );
    }

    #[test]
    fn a_run_report_has_id_phase_and_error() {
        let report = RunReport {
            deployed: &[],
            r#type: "Agent",
            name: "a",
            execution_id: "aex-1",
            phase: Phase::Failed,
            error: Some("the model is gone"),
        };
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            json!({"deployed": [], "type": "Agent", "name": "a", "execution_id": "aex-1", "phase": "FAILED",
                   "error": "the model is gone"})
        );
    }
}
