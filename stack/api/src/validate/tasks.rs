//! The rules of tasks: `task_config` is an untyped object on the wire, and each kind has a message
//! that says what belongs into it.

use std::collections::BTreeSet;

use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value,
};
use serde_json::Value as Json;

use super::{Violation, Violations, check_message, join};
use crate::{
    DESCRIPTORS,
    commons::WorkflowTaskKind,
    json,
    workflow::{WorkflowSpec, WorkflowTask},
};

/// Checks the tasks of a workflow, those inside of other tasks included: each config by the rules of
/// its kind's message, and that no two tasks share a name. Paths begin with `spec.tasks`.
///
/// # Errors
///
/// Every rule that is broken, in the order of the tasks.
pub fn validate_tasks(spec: &WorkflowSpec) -> Result<(), Violations> {
    let mut check = Check::default();
    check.list(&spec.tasks, "spec.tasks");
    if check.found.is_empty() {
        Ok(())
    } else {
        Err(Violations(check.found))
    }
}

#[derive(Default)]
struct Check {
    names: BTreeSet<String>,
    found: Vec<Violation>,
}

impl Check {
    fn list(&mut self, tasks: &[WorkflowTask], path: &str) {
        for (index, task) in tasks.iter().enumerate() {
            self.task(task, &format!("{path}[{index}]"));
        }
    }

    fn task(&mut self, task: &WorkflowTask, path: &str) {
        if !task.name.is_empty() && !self.names.insert(task.name.clone()) {
            let problem = format!("{:?} is the name of another task already", task.name);
            self.report(join(path, "name"), problem);
        }
        // A kind or config that is missing breaks a rule of the task itself.
        let (kind, Some(config)) = (task.kind, &task.task_config) else {
            return;
        };
        let Ok(kind) = WorkflowTaskKind::try_from(kind) else {
            return self.report(join(path, "kind"), format!("{kind} is not a kind of task"));
        };
        let Some(descriptor) = config_of(kind) else {
            return;
        };
        let path = join(path, "task_config");
        match read(descriptor, Json::Object(json::from_struct(config))) {
            Ok(config) => {
                check_message(&config, &path, &mut self.found);
                self.inside(&config, &path);
            }
            Err(problem) => self.report(path, problem),
        }
    }

    /// The tasks in the lists of a config, at any depth.
    fn inside(&mut self, message: &DynamicMessage, path: &str) {
        for field in message.descriptor().fields().filter(|f| f.is_list()) {
            let value = message.get_field(&field);
            let items = value.as_list().unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                self.item(item, &format!("{}[{index}]", join(path, field.name())));
            }
        }
        for field in message
            .descriptor()
            .fields()
            .filter(|f| !f.is_list() && !f.is_map() && message.has_field(f))
        {
            if let Value::Message(inner) = message.get_field(&field).as_ref() {
                self.inside(inner, &join(path, field.name()));
            }
        }
    }

    fn item(&mut self, item: &Value, path: &str) {
        let Value::Message(message) = item else {
            return;
        };
        match message.transcode_to::<WorkflowTask>() {
            Ok(task) if is_task(message) => self.task(&task, path),
            _ => self.inside(message, path),
        }
    }

    fn report(&mut self, path: String, text: String) {
        self.found.push(Violation { path, text });
    }
}

fn is_task(message: &DynamicMessage) -> bool {
    message.descriptor() == WorkflowTask::default().descriptor()
}

fn read(descriptor: MessageDescriptor, config: Json) -> Result<DynamicMessage, String> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor, config, &options)
        .map_err(|error| error.to_string())
}

/// The message of a kind's config.
fn config_of(kind: WorkflowTaskKind) -> Option<MessageDescriptor> {
    use WorkflowTaskKind as Kind;
    let name = match kind {
        Kind::Unspecified => return None,
        Kind::Set => "SetTaskConfig",
        Kind::HttpCall => "HttpCallTaskConfig",
        Kind::GrpcCall => "GrpcCallTaskConfig",
        Kind::CallActivity => "CallActivityTaskConfig",
        Kind::Switch => "SwitchTaskConfig",
        Kind::For => "ForTaskConfig",
        Kind::Fork => "ForkTaskConfig",
        Kind::Try => "TryTaskConfig",
        Kind::Listen => "ListenTaskConfig",
        Kind::Wait => "WaitTaskConfig",
        Kind::Raise => "RaiseTaskConfig",
        Kind::Run => "RunTaskConfig",
        Kind::AgentCall => "AgentCallTaskConfig",
    };
    DESCRIPTORS.get_message_by_name(&format!("ai.stigmer.agentic.workflow.v1.tasks.{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(tasks: Json) -> Vec<String> {
        let spec: WorkflowSpec = json::from_json(&json!({"tasks": tasks})).expect("a spec");
        let Err(Violations(found)) = validate_tasks(&spec) else {
            return Vec::new();
        };
        found
            .iter()
            .map(|v| format!("{}: {}", v.path, v.text))
            .collect()
    }

    fn task(name: &str, kind: &str, config: Json) -> Json {
        json!({"name": name, "kind": format!("WORKFLOW_TASK_KIND_{kind}"), "taskConfig": config})
    }

    fn http(method: &str, timeout: i32) -> Json {
        json!({"method": method, "endpoint": {"uri": "http://x"}, "timeout_seconds": timeout})
    }

    #[test]
    fn a_config_breaks_the_rules_of_its_kind_by_the_name_of_the_field() {
        for (kind, config, path) in [
            ("HTTP_CALL", http("FETCH", 30), "method"),
            ("HTTP_CALL", http("GET", 301), "timeout_seconds"),
            (
                "FORK",
                json!({"branches": [{"name": "a", "do": [task("w", "WAIT", json!({"seconds": 1}))]}]}),
                "branches",
            ),
            (
                "AGENT_CALL",
                json!({"agent": "a", "message": "m", "config": {"timeout": 3601}}),
                "config.timeout",
            ),
            (
                "AGENT_CALL",
                json!({"agent": "a", "message": "m", "config": {"timeout": 1, "temperature": 1.1}}),
                "config.temperature",
            ),
            ("SET", json!({}), "variables"),
        ] {
            let found = found(json!([task("t", kind, config)]));
            let [one] = found.as_slice() else {
                panic!("one violation, got {found:?}")
            };
            assert!(
                one.starts_with(&format!("spec.tasks[0].task_config.{path}: ")),
                "{one}"
            );
        }
    }

    #[test]
    fn every_kind_has_a_config() {
        for number in 1..=13 {
            let kind = WorkflowTaskKind::try_from(number).expect("a kind");
            assert!(config_of(kind).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn tasks_inside_are_checked_at_any_depth_and_names_are_used_once() {
        let wait = |name: &str, seconds: i32| task(name, "WAIT", json!({"seconds": seconds}));
        let each = |inner: Json| json!({"each": "x", "in": "${ .l }", "do": [inner]});
        let branches = json!({"branches": [
            {"name": "a", "do": [task("loop", "FOR", each(wait("deep", 0)))]},
            {"name": "b", "do": [wait("first", 1)]},
        ]});
        let found = found(json!([
            wait("first", 1),
            task("fork", "FORK", branches),
            task(
                "try",
                "TRY",
                json!({"try": [wait("t", 1)], "catch": {"do": [wait("t", 1)]}})
            ),
        ]));
        let paths = found
            .iter()
            .map(|text| text.split_once(": ").expect("a path").0)
            .collect::<Vec<_>>();
        let deep =
            "spec.tasks[1].task_config.branches[0].do[0].task_config.do[0].task_config.seconds";
        assert!(paths.contains(&deep), "{found:#?}");
        let names = paths
            .iter()
            .filter(|path| path.ends_with(".name"))
            .collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                &"spec.tasks[1].task_config.branches[1].do[0].name",
                &"spec.tasks[2].task_config.catch.do[0].name"
            ]
        );
    }

    #[test]
    fn a_field_that_the_kind_does_not_have_is_named() {
        let found = found(json!([task(
            "t",
            "WAIT",
            json!({"seconds": 1, "minutes": 2})
        )]));
        assert!(
            found.len() == 1
                && found[0].starts_with("spec.tasks[0].task_config: ")
                && found[0].contains("minutes"),
            "{found:?}"
        );
    }
}
