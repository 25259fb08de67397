//! Agent executions: one message to one agent, run by Temporal.

use stigmer_api::{
    ApiResourceId, ApiResourceKind,
    agent_execution::{
        AgentExecution, AgentExecutionId, AgentExecutionList, AgentExecutionUpdateStatusInput,
        ListAgentExecutionsBySessionRequest, ListAgentExecutionsRequest,
    },
    session::Session,
};
use tonic::Status;

use super::{Kind, agent, session};
use crate::{
    executions::{self, Execution as _, Phase, Subscription},
    mask,
    pipeline::{Cause, StepError, page, steps},
    requests,
    state::State,
    store::{Query, Relation, Tx},
};

impl Kind for AgentExecution {
    const UNIQUE_SLUG: bool = false;

    fn check(&self) -> Result<(), Cause> {
        let Some(spec) = &self.spec else {
            return Err(Cause::invalid("spec", "value is required"));
        };
        if spec.session_id.is_empty() && spec.agent_id.is_empty() {
            return Err(Cause::invalid(
                "spec.agent_id",
                "value is required, unless spec.session_id is set",
            ));
        }
        Ok(())
    }

    fn prepare(&mut self, tx: &Tx<'_>) -> Result<(), StepError> {
        let execution_id = stigmer_api::Resource::id(self).to_owned();
        let spec = self.spec.get_or_insert_default();
        if spec.session_id.is_empty() {
            let (agent, instance_id) = agent::load_with_default_instance(tx, &spec.agent_id)?;
            spec.session_id =
                session::create_for_execution(tx, &agent, instance_id, &execution_id)?;
        } else {
            steps::load_by_id::<Session>(tx, &spec.session_id, "ValidateSessionOrAgent")?;
        }
        self.status_mut().phase = Phase::Pending.number();
        Ok(())
    }

    fn keep_secrets_of(&mut self, stored: &Self) {
        if let (Some(spec), Some(stored)) = (&mut self.spec, &stored.spec) {
            mask::restore(&mut spec.runtime_env, &stored.runtime_env);
        }
    }
}

/// Accepts an execution, see [`executions::accept`].
pub async fn create(state: &State, execution: AgentExecution) -> Result<AgentExecution, StepError> {
    steps::validate_constraints(&execution)?;
    steps::validate_kind(&execution)?;
    executions::accept(state, execution).await
}

/// Merges a status that the runner reports.
pub async fn update_status(
    state: &State,
    input: AgentExecutionUpdateStatusInput,
) -> Result<AgentExecution, StepError> {
    steps::validate_constraints(&input)?;
    let status = input.status.unwrap_or_default();
    executions::update_status(&state.store, input.execution_id, status).await
}

/// Deletes an execution; its workflow is ended if it still runs.
pub async fn delete(state: &State, input: ApiResourceId) -> Result<AgentExecution, StepError> {
    let deleted: AgentExecution = requests::delete(state, input).await?;
    if !deleted.current_phase().is_terminal() {
        let id = stigmer_api::Resource::id(&deleted);
        state.abandoned.add(AgentExecution::workflow_id(id));
    }
    Ok(deleted)
}

/// Executions, in pages, of one phase unless that is 0.
pub async fn list(
    state: &State,
    request: ListAgentExecutionsRequest,
) -> Result<AgentExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let page = page::by_token(
        ApiResourceKind::AgentExecution,
        request.page_size,
        request.page_token,
    )?;
    let phases = Some(request.phase)
        .filter(|phase| *phase != 0)
        .into_iter()
        .collect();
    answer(
        state,
        Query {
            phases,
            tags: request.tags,
            page,
            ..Query::default()
        },
    )
    .await
}

/// The executions of one session, in pages.
pub async fn list_by_session(
    state: &State,
    request: ListAgentExecutionsBySessionRequest,
) -> Result<AgentExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let page = page::by_token(
        ApiResourceKind::AgentExecution,
        request.page_size,
        request.page_token,
    )?;
    let relation = Relation::ChildOf(request.session_id);
    answer(
        state,
        Query {
            relation,
            page,
            ..Query::default()
        },
    )
    .await
}

/// Subscribes to an execution, see [`executions::subscribe`].
pub async fn subscribe(
    state: &State,
    input: AgentExecutionId,
) -> Result<Subscription<AgentExecution>, Status> {
    steps::validate_constraints(&input)?;
    let stopping = state.stopping.clone();
    Ok(executions::subscribe(&state.store, &state.agent_executions, input.value, stopping).await?)
}

async fn answer(state: &State, query: Query) -> Result<AgentExecutionList, StepError> {
    let size = query.page.size;
    let listing = state.list(query).await?;
    Ok(AgentExecutionList {
        total_pages: page::count(listing.total, size),
        entries: listing.rows,
    })
}
