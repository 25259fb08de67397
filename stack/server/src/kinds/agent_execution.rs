//! Agent executions: one message to one agent, run by Temporal.

use stigmer_api::{
    ApiResourceKind,
    agent::Agent,
    agent_execution::{
        AgentExecution, AgentExecutionList, ListAgentExecutionsBySessionRequest,
        ListAgentExecutionsRequest,
    },
    session::Session,
};

use super::{Kind, default_instance, session};
use crate::{
    executions::{self, Execution as _, Phase},
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
            let (agent, instance_id) = default_instance::load::<Agent>(tx, &spec.agent_id)?;
            spec.session_id =
                session::create_for_execution(tx, &agent, instance_id, &execution_id)?;
        } else {
            steps::load_by_id::<Session>(tx, &spec.session_id, "ValidateSessionOrAgent")?;
        }
        self.status_mut().phase = Phase::Pending.number();
        executions::mark_secrets(tx, self)
    }
}

/// Executions, in pages, of one phase unless that is 0.
pub async fn list(
    state: &State,
    request: ListAgentExecutionsRequest,
) -> Result<AgentExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        phases: page::phases(request.phase),
        tags: request.tags,
        page: page::by_token(
            ApiResourceKind::AgentExecution,
            request.page_size,
            request.page_token,
        )?,
        ..Query::default()
    };
    requests::list(state, query).await
}

/// The executions of one session, in pages.
pub async fn list_by_session(
    state: &State,
    request: ListAgentExecutionsBySessionRequest,
) -> Result<AgentExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        relation: Relation::ChildOf(request.session_id),
        page: page::by_token(
            ApiResourceKind::AgentExecution,
            request.page_size,
            request.page_token,
        )?,
        ..Query::default()
    };
    requests::list(state, query).await
}
