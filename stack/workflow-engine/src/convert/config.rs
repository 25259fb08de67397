//! The `task_config` of each kind: checked against its message's rules, then made an action.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::ReflectMessage;
use serde_json::Value as Json;
use stigmer_api::{
    commons::{ApiResourceOwnerScope, WorkflowTaskKind},
    json::{self, from_json},
    validate::{Violations, validate},
    workflow::{
        WorkflowTask,
        tasks::{
            AgentCallTaskConfig, CallActivityTaskConfig, ForTaskConfig, ForkTaskConfig,
            GrpcCallTaskConfig, HttpCallTaskConfig, ListenTaskConfig, RaiseTaskConfig,
            RunTaskConfig, SetTaskConfig, SwitchTaskConfig, TryTaskConfig, WaitTaskConfig,
        },
    },
};

use super::TaskError;
use crate::model::{
    Action, ActivityCall, AgentCall, AgentConfig, Call, Case, Catch, Endpoint, ErrorDefinition,
    Event, EventFilter, EventKind, ForEach, Fork, GrpcCall, GrpcService, HttpCall, HttpOutput,
    Listen, ListenTo, Named, RunWorkflow, Span, TaskList, TryCatch,
};

/// The action and the time limit that `config` describes. Errors of tasks inside go to `nested`.
///
/// # Errors
///
/// What is wrong with the config itself, each text beginning with the field.
pub(super) fn convert(
    kind: WorkflowTaskKind,
    config: &Json,
    nested: &mut Vec<TaskError>,
) -> Result<(Action, Option<Span>), Vec<String>> {
    let mut timeout = None;
    let action = match kind {
        WorkflowTaskKind::Set => Action::Set(
            texts(read::<SetTaskConfig>(config)?.variables)
                .into_iter()
                .collect(),
        ),
        WorkflowTaskKind::HttpCall => {
            let call = read::<HttpCallTaskConfig>(config)?;
            timeout = u64::try_from(call.timeout_seconds).ok().map(Span::seconds);
            Action::Call(Call::Http(http(call)))
        }
        WorkflowTaskKind::GrpcCall => Action::Call(Call::Grpc(grpc(read(config)?))),
        WorkflowTaskKind::CallActivity => Action::Call(Call::Activity(activity(read(config)?))),
        WorkflowTaskKind::AgentCall => {
            let call = agent(read(config)?, config)?;
            timeout = call
                .config
                .as_ref()
                .and_then(|config| config.timeout)
                .map(|seconds| Span::seconds(seconds.into()));
            Action::Call(Call::Agent(call))
        }
        WorkflowTaskKind::Switch => Action::Switch(cases(read(config)?)),
        WorkflowTaskKind::For => for_each(read(config)?, nested),
        WorkflowTaskKind::Fork => fork(read(config)?, nested),
        WorkflowTaskKind::Try => try_catch(read(config)?, nested),
        WorkflowTaskKind::Listen => Action::Listen(listen(read(config)?)),
        WorkflowTaskKind::Wait => Action::Wait(Span::seconds(
            u64::try_from(read::<WaitTaskConfig>(config)?.seconds).unwrap_or_default(),
        )),
        WorkflowTaskKind::Raise => Action::Raise(raise(read(config)?)),
        WorkflowTaskKind::Run => {
            let RunTaskConfig { workflow, input } = read(config)?;
            Action::Run(RunWorkflow {
                name: workflow,
                input: input.map(object),
                wait: true,
            })
        }
        WorkflowTaskKind::Unspecified => return Err(vec!["kind: value is required".to_owned()]),
    };
    Ok((action, timeout))
}

fn read<M: ReflectMessage + Default>(config: &Json) -> Result<M, Vec<String>> {
    let message: M = from_json(config).map_err(|e| vec![format!("task_config: {}", e.reason)])?;
    validate(&message).map_err(|Violations(violations)| {
        violations
            .into_iter()
            .map(|v| format!("task_config.{}: {}", v.path, v.text))
            .collect::<Vec<_>>()
    })?;
    Ok(message)
}

fn http(call: HttpCallTaskConfig) -> HttpCall {
    HttpCall {
        method: call.method,
        endpoint: Endpoint {
            uri: call.endpoint.unwrap_or_default().uri,
        },
        headers: texts(call.headers),
        query: BTreeMap::new(),
        body: call.body.map(object),
        output: HttpOutput::Content,
        redirect: false,
    }
}

fn grpc(call: GrpcCallTaskConfig) -> GrpcCall {
    GrpcCall {
        service: GrpcService::named(&call.service),
        method: call.method,
        arguments: call.request.map(object),
    }
}

/// `name`, or `name@task-queue`.
fn activity(call: CallActivityTaskConfig) -> ActivityCall {
    let (name, task_queue) = match call.activity.rsplit_once('@') {
        Some((name, queue)) if !name.is_empty() && !queue.is_empty() => {
            (name.to_owned(), Some(queue.to_owned()))
        }
        _ => (call.activity, None),
    };
    ActivityCall {
        name,
        task_queue,
        arguments: call.input.map(object).into_iter().collect(),
    }
}

fn agent(call: AgentCallTaskConfig, config: &Json) -> Result<AgentCall, Vec<String>> {
    let scope = match ApiResourceOwnerScope::try_from(call.scope) {
        Ok(ApiResourceOwnerScope::Unspecified) => None,
        Ok(scope) => Some(scope.as_str_name().to_owned()),
        Err(_) => {
            return Err(vec![format!(
                "task_config.scope: {} is not a scope",
                call.scope
            )]);
        }
    };
    // The message cannot tell 0.0 from unset, nor hold 0.1 exactly; the JSON can.
    let temperature = config.pointer("/config/temperature").and_then(Json::as_f64);
    let config = call.config.map(|config| AgentConfig {
        model: Some(config.model).filter(|model| !model.is_empty()),
        timeout: u32::try_from(config.timeout).ok(),
        temperature,
    });
    Ok(AgentCall {
        agent: call.agent,
        message: call.message,
        scope,
        env: texts(call.env),
        config,
    })
}

fn cases(config: SwitchTaskConfig) -> Vec<Named<Case>> {
    let case = |case: stigmer_api::workflow::tasks::SwitchCase| Named {
        name: case.name,
        body: Case {
            when: Some(case.when).filter(|when| !when.is_empty()),
            then: case.then,
        },
    };
    config.cases.into_iter().map(case).collect()
}

fn for_each(config: ForTaskConfig, nested: &mut Vec<TaskError>) -> Action {
    Action::For(ForEach {
        each: config.each,
        at: "index".to_owned(),
        source: config.r#in.into(),
        condition: None,
        tasks: inner(&config.r#do, nested),
    })
}

fn fork(config: ForkTaskConfig, nested: &mut Vec<TaskError>) -> Action {
    let branches = config
        .branches
        .into_iter()
        .map(|branch| (branch.name, inner(&branch.r#do, nested)))
        .collect();
    Action::Fork(Fork {
        branches,
        compete: config.compete,
    })
}

fn try_catch(config: TryTaskConfig, nested: &mut Vec<TaskError>) -> Action {
    let tasks = inner(&config.r#try, nested);
    let catch = config.catch.unwrap_or_default();
    let name = if catch.r#as.is_empty() {
        Catch::default_name()
    } else {
        catch.r#as
    };
    let handler = inner(&catch.r#do, nested);
    let catch = Catch {
        errors: None,
        name,
        when: None,
        except_when: None,
        retry: None,
        tasks: handler,
    };
    Action::Try(TryCatch { tasks, catch })
}

fn inner(tasks: &[WorkflowTask], nested: &mut Vec<TaskError>) -> TaskList {
    super::tasks(tasks, nested)
}

/// One signal of mode `one` is that signal; several are the first of them.
fn listen(config: ListenTaskConfig) -> Listen {
    let to = config.to.unwrap_or_default();
    let event = |signal: stigmer_api::workflow::tasks::SignalSpec| {
        let kind = match signal.r#type.as_str() {
            "query" => EventKind::Query,
            "update" => EventKind::Update,
            // The rules of the message allow nothing else.
            _ => EventKind::Signal,
        };
        EventFilter {
            with: Event {
                id: signal.id,
                kind,
            },
        }
    };
    let mut events = to.signals.into_iter().map(event).collect::<Vec<_>>();
    let to = match (to.mode.as_str(), events.len()) {
        ("all", _) => ListenTo::All(events),
        (_, 1) => ListenTo::One(events.remove(0)),
        _ => ListenTo::Any(events),
    };
    Listen { to }
}

fn raise(config: RaiseTaskConfig) -> ErrorDefinition {
    ErrorDefinition {
        kind: config.error,
        status: None,
        title: None,
        detail: Some(config.message),
    }
}

fn texts(map: HashMap<String, String>) -> BTreeMap<String, Json> {
    map.into_iter()
        .map(|(name, text)| (name, Json::String(text)))
        .collect()
}

fn object(message: prost_types::Struct) -> Json {
    Json::Object(json::from_struct(&message))
}
