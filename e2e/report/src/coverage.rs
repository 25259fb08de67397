//! What the tests used, counted from what ran: gRPC methods by status, CLI commands by exit code, and
//! kinds of workflow tasks by how they ended.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;

use crate::{evidence, read};

/// How often something ended in which way, by its name.
pub type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// What the tests used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// gRPC methods by their path, and the status that ended their calls.
    pub methods: Counts,
    /// Commands such as `stigmer run`, and what they ended with, such as `exit status: 0`.
    pub commands: Counts,
    /// Kinds of workflow tasks such as `HTTP_CALL`, and how they ended, such as `COMPLETED`.
    pub tasks: Counts,
}

impl Used {
    /// Counts over all tests whose folders are in `folder`.
    pub fn by_tests_in(folder: &Utf8Path) -> Self {
        let mut used = Self::default();
        for test in read::entries(folder) {
            for call in read::json_lines(&test.join("grpc.jsonl")) {
                let method = call["method"].as_str().unwrap_or_default();
                count(&mut used.methods, method, &evidence::calls::status(&call));
            }
            for file in read::entries(&test.join("cli")) {
                let Some(text) = read::text(&file) else {
                    continue;
                };
                let command = evidence::cli::Command::read(&text);
                count(&mut used.commands, &command.verb(), command.ending());
            }
            for environment in read::entries(&test) {
                let records = read::json(&environment.join("records.json"));
                records.iter().for_each(|records| used.count_tasks(records));
            }
        }
        used
    }

    fn count_tasks(&mut self, records: &Value) {
        let executions = records["workflow_execution"].as_array();
        for execution in executions.into_iter().flatten() {
            let tasks = execution["status"]["tasks"].as_array();
            for task in tasks.into_iter().flatten() {
                let word = |value: &Value, prefix| {
                    let name = value.as_str().unwrap_or("UNSPECIFIED");
                    name.strip_prefix(prefix).unwrap_or(name).to_owned()
                };
                let kind = word(&task["metadata"]["kind"], "WORKFLOW_TASK_KIND_");
                let status = word(&task["status"], "WORKFLOW_TASK_");
                count(&mut self.tasks, &kind, &status);
            }
        }
    }
}

fn count(counts: &mut Counts, name: &str, ending: &str) {
    let endings = counts.entry(name.to_owned()).or_default();
    *endings.entry(ending.to_owned()).or_default() += 1;
}
