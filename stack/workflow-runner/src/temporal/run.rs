//! One run from its input to its output.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use temporalio_common::{data_converters::RawValue, error::ApplicationFailure};
use temporalio_sdk::{WorkflowContext, WorkflowTermination};

use super::{
    MAX_PAYLOAD, ServerlessWorkflow, WorkflowInput, WorkflowOutput,
    effects::TemporalEffects,
    message::{TaskRecords, read},
    progress,
};
use crate::engine::{
    document,
    interpret::{Constants, Interpreter, Outcome, Stop, TaskError, kind},
    secrets::Environment,
};

type Context = WorkflowContext<ServerlessWorkflow>;

/// Runs the document in `input`.
pub(super) async fn execute(
    ctx: Context,
    input: RawValue,
) -> Result<WorkflowOutput, WorkflowTermination> {
    let input: WorkflowInput = read(ctx.payload_converter(), input)
        .map_err(|error| invalid(format!("the input cannot be read: {error}")))?;
    let workflow =
        document::read(&input.workflow_yaml).map_err(|error| invalid(error.to_string()))?;
    let (name, execution_id) = (
        workflow.document.name.clone(),
        input.workflow_execution_id.clone(),
    );
    let metadata = input.metadata.unwrap_or_default();
    let marker = match metadata.secret_marker.as_str() {
        "" => format!("{:016x}", ctx.random::<u64>()),
        marker => marker.to_owned(),
    };
    let environment = Environment {
        entries: input.env_vars,
        org: input.org_id,
        marker,
    };
    let constants = Constants {
        execution_id: execution_id.clone(),
        input: if input.initial_data.is_empty() {
            Json::Null
        } else {
            Json::Object(input.initial_data)
        },
        environment: environment.clone(),
    };
    let interpreter = Rc::new(Interpreter::new(workflow, constants));
    ctx.state_mut(|state| state.interpreter = Some(interpreter.clone()));
    let effects = TemporalEffects::new(ctx.clone(), environment.clone(), metadata.depth);
    let begin = ctx.workflow_time();
    let result = progress::while_running(
        &ctx,
        &effects,
        &interpreter,
        &execution_id,
        interpreter.run(&effects),
    )
    .await;
    let tasks = TaskRecords(interpreter.tasks());
    match result {
        Ok(Outcome { output, data }) => {
            let took = ctx
                .workflow_time()
                .zip(begin)
                .and_then(|(end, begin)| end.duration_since(begin).ok())
                .unwrap_or_default();
            fitting(WorkflowOutput {
                result: output,
                final_state: data,
                workflow_name: name,
                execution_id,
                execution_time: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
                tasks,
            })
        }
        Err(Stop::Failed(error)) => Err(failed(&error, &environment, &tasks)),
        Err(Stop::Interrupted(WorkflowTermination::Cancelled { .. })) => Err(
            WorkflowTermination::cancelled_with_details(json!({"tasks": tasks})),
        ),
        Err(Stop::Interrupted(termination)) => Err(termination),
    }
}

/// Leaves out what does not fit one payload: first the data, then there is nothing to give up.
fn fitting(mut output: WorkflowOutput) -> Result<WorkflowOutput, WorkflowTermination> {
    let size =
        |output: &WorkflowOutput| serde_json::to_vec(output).map_or(usize::MAX, |json| json.len());
    if size(&output) > MAX_PAYLOAD {
        output.final_state = [(
            "omitted".to_owned(),
            json!("too large for one Temporal payload"),
        )]
        .into_iter()
        .collect();
    }
    match size(&output) {
        fits if fits <= MAX_PAYLOAD => Ok(output),
        size => Err(WorkflowTermination::failed_application(
            ApplicationFailure::builder(format!("the workflow's output of {size} bytes is larger than the {MAX_PAYLOAD} that fit one Temporal payload"))
                .type_name(kind::LIMIT.to_owned())
                .non_retryable(true)
                .details(json!({"tasks": output.tasks}))
                .build(),
        )),
    }
}

fn failed(
    error: &TaskError,
    environment: &Environment,
    tasks: &TaskRecords,
) -> WorkflowTermination {
    let failure = ApplicationFailure::builder(environment.mask(&error.to_string()))
        .type_name(error.fault.kind.clone())
        .non_retryable(true)
        .details(json!({"tasks": tasks, "task": error.task, "status": error.fault.status}));
    WorkflowTermination::failed_application(failure.build())
}

fn invalid(message: String) -> WorkflowTermination {
    let failure = ApplicationFailure::builder(message)
        .type_name(kind::VALIDATION.to_owned())
        .non_retryable(true);
    WorkflowTermination::failed_application(failure.build())
}
