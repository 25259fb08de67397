//! What `--output json` prints: one object with the facts of the text.

use serde::Serialize;

use crate::api::{Entry, Execution, Phase, Snapshot};

/// What `apply` did.
#[derive(Debug, Serialize)]
pub struct ApplyReport<'a> {
    /// Whether nothing was deployed on purpose.
    pub dry_run: bool,
    pub project: ProjectReport<'a>,
    /// The organization that was deployed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<&'a str>,
    /// Every resource of the project, in its order.
    pub resources: &'a [ResourceReport],
    /// Why not everything was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What Stigmer.yaml says.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ProjectReport<'a> {
    pub name: &'a str,
    pub runtime: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    pub main: &'a str,
}

/// What happened to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceReport {
    /// `Agent` or `Workflow`.
    pub r#type: &'static str,
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
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
    #[serde(flatten)]
    pub execution: ExecutionReport<'a>,
}

/// An execution as it was seen last.
#[derive(Debug, Serialize)]
pub struct ExecutionReport<'a> {
    pub execution_id: &'a str,
    pub phase: Phase,
    /// Its own error.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub error: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub started_at: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub completed_at: &'a str,
    #[serde(flatten)]
    pub steps: Steps<'a>,
}

/// What an execution shows, by its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Steps<'a> {
    Agent {
        messages: &'a [Entry],
        tool_calls: usize,
    },
    Workflow {
        tasks: &'a [Entry],
    },
}

impl<'a> ExecutionReport<'a> {
    /// The report on the execution `execution_id` of kind `E`, seen as `last`.
    pub fn new<E: Execution>(execution_id: &'a str, last: &'a Snapshot) -> Self {
        let entries = last.entries.as_slice();
        Self {
            execution_id,
            phase: last.phase,
            error: &last.error,
            started_at: &last.started_at,
            completed_at: &last.completed_at,
            steps: match E::HAS_TASKS {
                true => Steps::Workflow { tasks: entries },
                false => Steps::Agent {
                    messages: entries,
                    tool_calls: last.tool_calls,
                },
            },
        }
    }
}

/// A resource by its name, type, and id.
#[derive(Debug, Serialize)]
pub struct ResourceRow {
    pub r#type: &'static str,
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub updated_at: String,
    pub id: String,
}

/// An execution in a list.
#[derive(Debug, Serialize)]
pub struct ExecutionRow {
    /// `agent` or `workflow`.
    pub of: &'static str,
    /// The name of the agent or workflow, or its id when there is none of it any more.
    pub target: String,
    pub phase: Phase,
    /// RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub started_at: String,
    pub id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stigmer_api::{agent_execution::AgentExecution, workflow_execution::WorkflowExecution};

    use super::*;
    use crate::api::{Speaker, TaskState};

    #[test]
    fn an_apply_report_has_the_facts_of_the_table() {
        let resources = [
            ResourceReport {
                r#type: "Agent",
                name: "a".into(),
                description: "reads".into(),
                status: Change::Created,
                id: Some("agt-1".into()),
            },
            ResourceReport {
                r#type: "Agent",
                name: "b".into(),
                description: String::new(),
                status: Change::Failed,
                id: None,
            },
        ];
        let report = ApplyReport {
            dry_run: false,
            project: ProjectReport {
                name: "demo",
                runtime: "rust",
                version: None,
                main: "src/main.rs",
            },
            organization: Some("local"),
            resources: &resources,
            error: Some("no".into()),
        };
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            json!({
                "dry_run": false,
                "project": {"name": "demo", "runtime": "rust", "main": "src/main.rs"},
                "organization": "local",
                "resources": [
                    {"type": "Agent", "name": "a", "description": "reads", "status": "created", "id": "agt-1"},
                    {"type": "Agent", "name": "b", "status": "failed"},
                ],
                "error": "no",
            })
        );
    }

    fn snapshot(entries: Vec<Entry>) -> Snapshot {
        Snapshot {
            phase: Phase::Failed,
            error: "the model is gone".into(),
            started_at: "2026-01-01T00:00:00Z".into(),
            completed_at: String::new(),
            entries,
            tool_calls: 1,
        }
    }

    #[test]
    fn a_run_of_an_agent_is_reported_with_what_was_said() {
        let last = snapshot(vec![Entry::Message {
            speaker: Speaker::Human,
            text: "hi".into(),
        }]);
        let report = RunReport {
            deployed: &[],
            r#type: "Agent",
            name: "a",
            execution: ExecutionReport::new::<AgentExecution>("aex-1", &last),
        };
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            json!({"deployed": [], "type": "Agent", "name": "a", "execution_id": "aex-1", "phase": "FAILED",
                   "error": "the model is gone", "started_at": "2026-01-01T00:00:00Z",
                   "messages": [{"speaker": "human", "text": "hi"}], "tool_calls": 1})
        );
    }

    #[test]
    fn a_run_of_a_workflow_is_reported_with_its_tasks() {
        let last = snapshot(vec![Entry::Task {
            id: "fetch".into(),
            name: "fetch".into(),
            state: TaskState::Failed,
            error: "404".into(),
        }]);
        let report = ExecutionReport::new::<WorkflowExecution>("wex-1", &last);
        assert_eq!(
            serde_json::to_value(report).unwrap()["tasks"],
            json!([{"id": "fetch", "name": "fetch", "state": "failed", "error": "404"}])
        );
    }
}
