//! Sessions: what the executions of one conversation have in common.

use stigmer_api::{
    ApiResourceKind, ApiResourceMetadata, ApiResourceOwnerScope, LOCAL_ORG, Resource,
    agent::Agent,
    agent_execution::AgentExecution,
    session::{ListSessionsByAgentRequest, ListSessionsRequest, Session, SessionList, SessionSpec},
};

use super::Kind;
use crate::{
    pipeline::{self, AtStep as _, StepError, page, steps},
    requests,
    state::State,
    store::{Query, Relation, Tx},
};

impl Kind for Session {}

/// All sessions, in pages.
pub async fn list(state: &State, request: ListSessionsRequest) -> Result<SessionList, StepError> {
    steps::validate_constraints(&request)?;
    let page = page::by_token(
        ApiResourceKind::Session,
        request.page_size,
        request.page_token,
    )?;
    requests::list(
        state,
        Query {
            tags: request.tags,
            page,
            ..Query::default()
        },
    )
    .await
}

/// The sessions of one agent, in pages. The id may be that of an agent, which means the sessions of
/// all its instances, or that of one instance.
pub async fn list_by_agent(
    state: &State,
    request: ListSessionsByAgentRequest,
) -> Result<SessionList, StepError> {
    steps::validate_constraints(&request)?;
    let page = page::by_token(
        ApiResourceKind::Session,
        request.page_size,
        request.page_token,
    )?;
    let relation = Relation::DescendantOf {
        id: request.agent_id,
        through: ApiResourceKind::AgentInstance,
    };
    requests::list(
        state,
        Query {
            relation,
            page,
            ..Query::default()
        },
    )
    .await
}

/// Makes the session of an execution that names only its agent, and returns its id. A session
/// belongs to an organization or an account, so that of a platform agent belongs to the local one.
pub fn create_for_execution(
    tx: &Tx<'_>,
    agent: &Agent,
    instance_id: String,
    execution_id: &str,
) -> Result<String, StepError> {
    let owner = agent.metadata().cloned().unwrap_or_default();
    let org = match owner.owner_scope() {
        ApiResourceOwnerScope::Organization => owner.org,
        _ => LOCAL_ORG.to_owned(),
    };
    let mut session = Session::envelope();
    session.metadata = Some(ApiResourceMetadata {
        // Named after the execution, not the time: two of one millisecond must not collide.
        name: name_for(execution_id),
        owner_scope: ApiResourceOwnerScope::Organization as i32,
        org,
        ..Default::default()
    });
    session.spec = Some(SessionSpec {
        agent_instance_id: instance_id,
        subject: "Session made for an execution that named none.".to_owned(),
        ..Default::default()
    });
    pipeline::create(tx, session).map(|session| session.id().to_owned())
}

/// Deletes the session that was made for this execution, if one was.
pub fn delete_of_execution(tx: &Tx<'_>, execution: &AgentExecution) -> Result<(), StepError> {
    const STEP: &str = "DeleteSession";
    let id = execution.spec.as_ref().map_or("", |spec| &spec.session_id);
    let session: Option<Session> = tx.load(id).at(STEP)?;
    match session.filter(|session| session.name() == name_for(execution.id())) {
        Some(session) => tx.delete::<Session>(session.id()).at(STEP),
        None => Ok(()),
    }
}

fn name_for(execution_id: &str) -> String {
    format!("session-{execution_id}")
}
