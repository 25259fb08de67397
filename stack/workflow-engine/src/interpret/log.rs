//! The record of an execution's tasks: which ran, with what outcome, and when.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use stigmer_api::{
    commons::WorkflowTaskKind,
    json::to_struct,
    workflow_execution::{WorkflowTask, WorkflowTaskStatus, WorkflowTaskType},
};

use crate::model::{Action, Call};

/// The largest input or output that a record repeats, in bytes of JSON.
const MAX_VALUE: usize = 32 * 1024;

/// The size of all inputs and outputs together, in bytes of JSON: the record is one Temporal payload.
const MAX_TOTAL: usize = 768 * 1024;

/// The most tasks that are recorded one by one; a loop may run more.
const MAX_RECORDS: usize = 2000;

/// Tasks in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct TaskLog {
    records: Vec<WorkflowTask>,
    /// How often each path began.
    rounds: BTreeMap<String, usize>,
    /// The bytes of inputs and outputs so far.
    recorded: usize,
}

/// Where a task's record is.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The id, unique in the log.
    pub(super) id: String,
    index: Option<usize>,
}

impl TaskLog {
    /// The records.
    pub fn records(&self) -> &[WorkflowTask] {
        &self.records
    }

    /// A task begins. The id is the path to it; a second round gets a number.
    pub(super) fn start(&mut self, path: &str, name: &str, action: &Action, now: &str) -> Entry {
        let round = self.rounds.entry(path.to_owned()).or_default();
        *round += 1;
        let id = if *round == 1 {
            path.to_owned()
        } else {
            format!("{path}#{round}")
        };
        let (kind, task_type) = kinds(action);
        let record = WorkflowTask {
            task_id: id.clone(),
            task_name: name.to_owned(),
            task_type: task_type as i32,
            status: WorkflowTaskStatus::WorkflowTaskInProgress as i32,
            started_at: now.to_owned(),
            metadata: Some(to_struct(Map::from_iter([(
                "kind".to_owned(),
                json!(kind.as_str_name()),
            )]))),
            ..Default::default()
        };
        let index = (self.records.len() < MAX_RECORDS).then(|| {
            self.records.push(record);
            self.records.len() - 1
        });
        Entry { id, index }
    }

    pub(super) fn input(&mut self, entry: &Entry, input: &Json) {
        let input = self.value(input);
        if let Some(record) = self.record(entry) {
            record.input = Some(input);
        }
    }

    pub(super) fn complete(&mut self, entry: &Entry, output: &Json, now: &str) {
        let output = (!output.is_null()).then(|| self.value(output));
        if let Some(record) = self.record(entry) {
            record.status = WorkflowTaskStatus::WorkflowTaskCompleted as i32;
            record.output = output;
            record.completed_at = now.to_owned();
        }
    }

    pub(super) fn fail(&mut self, entry: &Entry, error: &str, now: &str) {
        if let Some(record) = self.record(entry) {
            record.status = WorkflowTaskStatus::WorkflowTaskFailed as i32;
            record.error = error.to_owned();
            record.completed_at = now.to_owned();
        }
    }

    /// A task does not run, because its condition does not hold.
    pub(super) fn skip(&mut self, entry: &Entry, now: &str) {
        if let Some(record) = self.record(entry) {
            record.status = WorkflowTaskStatus::WorkflowTaskSkipped as i32;
            record.completed_at = now.to_owned();
        }
    }

    /// What is still in progress below `path` will not end; the reason is kept as its error.
    pub(super) fn abandon(&mut self, path: &str, reason: &str, now: &str) {
        let below = |id: &str| {
            path.is_empty()
                || id
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let in_progress = WorkflowTaskStatus::WorkflowTaskInProgress as i32;
        for record in self
            .records
            .iter_mut()
            .filter(|record| record.status == in_progress && below(&record.task_id))
        {
            record.status = WorkflowTaskStatus::WorkflowTaskSkipped as i32;
            record.error = reason.to_owned();
            record.completed_at = now.to_owned();
        }
    }

    /// Adds those of the workflow's own tasks that never began.
    pub(super) fn close<'a>(&mut self, tasks: impl IntoIterator<Item = (&'a str, &'a Action)>) {
        for (name, action) in tasks {
            if !self.rounds.contains_key(name) {
                let entry = self.start(name, name, action, "");
                self.skip(&entry, "");
            }
        }
    }

    fn record(&mut self, entry: &Entry) -> Option<&mut WorkflowTask> {
        self.records.get_mut(entry.index?)
    }

    /// The value as a record holds it: an object, others as its `result`; a note when too large.
    fn value(&mut self, value: &Json) -> prost_types::Struct {
        let size = value.to_string().len();
        let fits = size <= MAX_VALUE && self.recorded + size <= MAX_TOTAL;
        self.recorded += if fits { size } else { 64 };
        let object = match value {
            _ if !fits => Map::from_iter([(
                "omitted".to_owned(),
                json!(format!("{size} bytes are too many to record")),
            )]),
            Json::Object(object) => object.clone(),
            other => Map::from_iter([("result".to_owned(), other.clone())]),
        };
        to_struct(object)
    }
}

fn kinds(action: &Action) -> (WorkflowTaskKind, WorkflowTaskType) {
    use WorkflowTaskKind as Kind;
    use WorkflowTaskType as Type;
    match action {
        Action::Set(_) => (Kind::Set, Type::WorkflowTaskTransform),
        Action::Call(Call::Http(_)) => (Kind::HttpCall, Type::WorkflowTaskApiCall),
        Action::Call(Call::Grpc(_)) => (Kind::GrpcCall, Type::WorkflowTaskApiCall),
        Action::Call(Call::Activity(_)) => (Kind::CallActivity, Type::WorkflowTaskCustom),
        Action::Call(Call::Agent(_)) => (Kind::AgentCall, Type::WorkflowTaskAgentInvocation),
        Action::Switch(_) => (Kind::Switch, Type::WorkflowTaskConditional),
        Action::For(_) => (Kind::For, Type::WorkflowTaskCustom),
        Action::Fork(_) => (Kind::Fork, Type::WorkflowTaskParallel),
        Action::Try(_) => (Kind::Try, Type::WorkflowTaskCustom),
        Action::Listen(_) => (Kind::Listen, Type::WorkflowTaskCustom),
        Action::Wait(_) => (Kind::Wait, Type::WorkflowTaskCustom),
        Action::Raise(_) => (Kind::Raise, Type::WorkflowTaskCustom),
        Action::Run(_) => (Kind::Run, Type::WorkflowTaskCustom),
    }
}
