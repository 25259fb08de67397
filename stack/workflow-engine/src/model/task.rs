//! A task and the DSL's form of it: common fields beside the fields of its kind.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use serde_json::{Map, Value as Json, json};

use super::{Action, Catch, ForEach, Fork, Named, RunWorkflow, Span, TaskList, TryCatch};

/// One task, without its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The condition on which it runs.
    pub condition: Option<String>,
    /// What its output is made into.
    pub output: Option<Json>,
    /// What goes into `$context` under its name.
    pub export: Option<Json>,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// Where to go on afterwards: a task of the same list, `continue`, `exit` or `end`.
    pub then: Option<String>,
    /// What it does.
    pub action: Action,
}

impl Task {
    /// A task that does `action` and nothing besides.
    pub fn new(action: Action) -> Self {
        Self {
            condition: None,
            output: None,
            export: None,
            timeout: None,
            then: None,
            action,
        }
    }

    /// The lists of tasks inside it, each with what it is: `do`, `try`, `catch`, or a branch's name.
    pub fn lists(&self) -> Vec<(&str, &[Named<Self>])> {
        match &self.action {
            Action::For(body) => vec![("do", &body.tasks)],
            Action::Fork(fork) => fork
                .branches
                .iter()
                .map(|(name, tasks)| (name.as_str(), tasks.as_slice()))
                .collect(),
            Action::Try(body) => vec![("try", &body.tasks), ("catch", &body.catch.tasks)],
            _ => Vec::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct As {
    #[serde(rename = "as")]
    shape: Json,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Timeout {
    after: Span,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForHead {
    #[serde(default = "default_each")]
    each: String,
    #[serde(rename = "in")]
    source: Json,
    #[serde(default = "default_at")]
    at: String,
}

fn default_each() -> String {
    "item".to_owned()
}

fn default_at() -> String {
    "index".to_owned()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForkBody {
    branches: Vec<Named<Branch>>,
    #[serde(default)]
    compete: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Branch {
    #[serde(rename = "do", with = "super::named")]
    tasks: TaskList,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RaiseBody {
    error: super::ErrorDefinition,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunBody {
    workflow: RunTarget,
    #[serde(default = "yes", rename = "await")]
    wait: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunTarget {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<Json>,
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Map::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

fn read(mut fields: Map<String, Json>) -> Result<Task, String> {
    let shape = |shape: As| shape.shape;
    let task = Task {
        condition: optional(&mut fields, "if")?,
        output: optional(&mut fields, "output")?.map(shape),
        export: optional(&mut fields, "export")?.map(shape),
        timeout: optional(&mut fields, "timeout")?.map(|timeout: Timeout| timeout.after),
        then: optional(&mut fields, "then")?,
        action: action(&mut fields)?,
    };
    match fields.keys().next() {
        None => Ok(task),
        Some(unknown) => Err(format!("unknown field {unknown}")),
    }
}

fn action(fields: &mut Map<String, Json>) -> Result<Action, String> {
    const KINDS: [&str; 10] = [
        "set", "call", "switch", "for", "fork", "try", "listen", "wait", "raise", "run",
    ];
    let kinds = KINDS
        .into_iter()
        .filter(|kind| fields.contains_key(*kind))
        .collect::<Vec<_>>();
    let [kind] = kinds.as_slice() else {
        return Err(format!(
            "a task has exactly one of {}, not {}",
            KINDS.join(", "),
            kinds.len()
        ));
    };
    Ok(match *kind {
        "set" => Action::Set(required(fields, "set")?),
        "call" => {
            let call = json!({"call": fields.remove("call"), "with": fields.remove("with")});
            Action::Call(serde_json::from_value(call).map_err(|e| format!("call: {e}"))?)
        }
        "switch" => Action::Switch(required(fields, "switch")?),
        "for" => {
            let ForHead { each, source, at } = required(fields, "for")?;
            Action::For(ForEach {
                each,
                at,
                source,
                condition: optional(fields, "while")?,
                tasks: required(fields, "do")?,
            })
        }
        "fork" => {
            let ForkBody { branches, compete } = required(fields, "fork")?;
            let branches = branches
                .into_iter()
                .map(|branch| (branch.name, branch.body.tasks))
                .collect();
            Action::Fork(Fork { branches, compete })
        }
        "try" => Action::Try(TryCatch {
            tasks: required(fields, "try")?,
            catch: required::<Catch>(fields, "catch")?,
        }),
        "listen" => Action::Listen(required(fields, "listen")?),
        "wait" => Action::Wait(required(fields, "wait")?),
        "raise" => Action::Raise(required::<RaiseBody>(fields, "raise")?.error),
        _ => {
            let RunBody {
                workflow: RunTarget { name, input },
                wait,
            } = required(fields, "run")?;
            Action::Run(RunWorkflow { name, input, wait })
        }
    })
}

fn required<T: DeserializeOwned>(fields: &mut Map<String, Json>, name: &str) -> Result<T, String> {
    optional(fields, name)?.ok_or_else(|| format!("{name} is missing"))
}

fn optional<T: DeserializeOwned>(
    fields: &mut Map<String, Json>,
    name: &str,
) -> Result<Option<T>, String> {
    let Some(value) = fields.remove(name) else {
        return Ok(None);
    };
    serde_json::from_value(value)
        .map(Some)
        .map_err(|e| format!("{name}: {e}"))
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = write_action(&self.action).map_err(serde::ser::Error::custom)?;
        let common = [
            ("if", self.condition.as_ref().map(|c| json!(c))),
            (
                "output",
                self.output.as_ref().map(|shape| json!({"as": shape})),
            ),
            (
                "export",
                self.export.as_ref().map(|shape| json!({"as": shape})),
            ),
            ("timeout", self.timeout.map(|after| json!({"after": after}))),
            ("then", self.then.as_ref().map(|then| json!(then))),
        ];
        fields.extend(
            common
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        fields.serialize(serializer)
    }
}

fn write_action(action: &Action) -> Result<Map<String, Json>, serde_json::Error> {
    let value = match action {
        Action::Set(variables) => json!({"set": variables}),
        Action::Call(call) => serde_json::to_value(call)?,
        Action::Switch(cases) => json!({"switch": cases}),
        Action::For(body) => {
            let head = ForHead {
                each: body.each.clone(),
                source: body.source.clone(),
                at: body.at.clone(),
            };
            let mut value = json!({"for": head, "do": body.tasks});
            if let Some(condition) = &body.condition {
                value["while"] = json!(condition);
            }
            value
        }
        Action::Fork(fork) => {
            let branches = fork
                .branches
                .iter()
                .map(|(name, tasks)| json!({name: {"do": tasks}}));
            json!({"fork": {"branches": branches.collect::<Vec<_>>(), "compete": fork.compete}})
        }
        Action::Try(body) => json!({"try": body.tasks, "catch": body.catch}),
        Action::Listen(listen) => json!({"listen": listen}),
        Action::Wait(span) => json!({"wait": span}),
        Action::Raise(error) => json!({"raise": {"error": error}}),
        Action::Run(run) => {
            let target = RunTarget {
                name: run.name.clone(),
                input: run.input.clone(),
            };
            serde_json::to_value(json!({"run": RunBody { workflow: target, wait: run.wait }}))?
        }
    };
    match value {
        Json::Object(fields) => Ok(fields),
        // Each arm above makes an object.
        other => unreachable!("an action is an object, not {other}"),
    }
}
