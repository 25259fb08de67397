//! The services of executions of both kinds.

use std::{pin::Pin, time::Duration};

use stigmer_api::{
    ApiResourceId,
    agent_execution::{
        AgentExecution, AgentExecutionId, AgentExecutionList, AgentExecutionUpdateStatusInput,
        ListAgentExecutionsBySessionRequest, ListAgentExecutionsRequest,
        agent_execution_command_controller_server::AgentExecutionCommandController,
        agent_execution_query_controller_server::AgentExecutionQueryController,
    },
    workflow_execution::{
        ListWorkflowExecutionsByWorkflowRequest, ListWorkflowExecutionsRequest,
        SubscribeWorkflowExecutionRequest, WorkflowExecution, WorkflowExecutionId,
        WorkflowExecutionList, WorkflowExecutionUpdateStatusInput,
        workflow_execution_command_controller_server::WorkflowExecutionCommandController,
        workflow_execution_query_controller_server::WorkflowExecutionQueryController,
    },
};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::{
    Answer, State,
    course::{Course, PENDING},
    resources::{Resources, after},
};

type Updates<E> = Pin<Box<dyn Stream<Item = Result<E, Status>> + Send>>;

fn create<E: Course>(executions: &Resources<E>, mut new: E) -> Answer<E> {
    if new.message() == "no temporal" {
        return Err(Status::unavailable("Temporal is not connected"));
    }
    new.set_phase(PENDING);
    Ok(Response::new(executions.create(new)))
}

fn subscribe<E: Course>(executions: &Resources<E>, id: &str) -> Answer<Updates<E>> {
    let execution = executions.get(id)?.into_inner();
    let goes_on = execution.message() == "never end";
    let steps = tokio_stream::iter(execution.course()).throttle(Duration::from_millis(1));
    Ok(Response::new(match goes_on {
        true => Box::pin(steps.chain(tokio_stream::pending())),
        false => Box::pin(steps),
    }))
}

/// Only what is under way can change its phase.
fn set_phase<E: Course>(executions: &Resources<E>, id: &str, phase: i32) -> Answer<E> {
    let mut execution = executions.get(id)?.into_inner();
    if execution.phase() > 2 && execution.phase() != phase {
        return Err(Status::failed_precondition("the execution has ended"));
    }
    execution.set_phase(phase);
    Ok(Response::new(executions.put(execution)))
}

fn list<E: Course>(executions: &Resources<E>, phase: i32, token: &str, size: i32) -> Vec<E> {
    let all = executions.all().into_iter();
    let wanted = all.filter(|execution| phase == 0 || execution.phase() == phase);
    after(wanted.collect(), token, size)
}

#[tonic::async_trait]
impl AgentExecutionCommandController for State {
    async fn create(&self, request: Request<AgentExecution>) -> Answer<AgentExecution> {
        create(&self.agent_executions, request.into_inner())
    }

    async fn update(&self, _: Request<AgentExecution>) -> Answer<AgentExecution> {
        Err(Status::unimplemented("update"))
    }

    async fn update_status(
        &self,
        request: Request<AgentExecutionUpdateStatusInput>,
    ) -> Answer<AgentExecution> {
        let AgentExecutionUpdateStatusInput {
            execution_id,
            status,
        } = request.into_inner();
        set_phase(
            &self.agent_executions,
            &execution_id,
            status.unwrap_or_default().phase,
        )
    }

    async fn delete(&self, request: Request<ApiResourceId>) -> Answer<AgentExecution> {
        self.agent_executions.delete(&request.into_inner().value)
    }
}

#[tonic::async_trait]
impl AgentExecutionQueryController for State {
    type subscribeStream = Updates<AgentExecution>;

    async fn subscribe(
        &self,
        request: Request<AgentExecutionId>,
    ) -> Answer<Updates<AgentExecution>> {
        subscribe(&self.agent_executions, &request.into_inner().value)
    }

    async fn get(&self, request: Request<AgentExecutionId>) -> Answer<AgentExecution> {
        self.agent_executions.get(&request.into_inner().value)
    }

    async fn list(
        &self,
        request: Request<ListAgentExecutionsRequest>,
    ) -> Answer<AgentExecutionList> {
        let ListAgentExecutionsRequest {
            page_size,
            page_token,
            phase,
            ..
        } = request.into_inner();
        Ok(Response::new(AgentExecutionList {
            total_pages: 1,
            entries: list(&self.agent_executions, phase, &page_token, page_size),
        }))
    }

    async fn list_by_session(
        &self,
        _: Request<ListAgentExecutionsBySessionRequest>,
    ) -> Answer<AgentExecutionList> {
        Err(Status::unimplemented("listBySession"))
    }
}

#[tonic::async_trait]
impl WorkflowExecutionCommandController for State {
    async fn create(&self, request: Request<WorkflowExecution>) -> Answer<WorkflowExecution> {
        create(&self.workflow_executions, request.into_inner())
    }

    async fn update(&self, _: Request<WorkflowExecution>) -> Answer<WorkflowExecution> {
        Err(Status::unimplemented("update"))
    }

    async fn update_status(
        &self,
        request: Request<WorkflowExecutionUpdateStatusInput>,
    ) -> Answer<WorkflowExecution> {
        let WorkflowExecutionUpdateStatusInput {
            execution_id,
            status,
        } = request.into_inner();
        set_phase(
            &self.workflow_executions,
            &execution_id,
            status.unwrap_or_default().phase,
        )
    }

    async fn delete(&self, request: Request<ApiResourceId>) -> Answer<WorkflowExecution> {
        self.workflow_executions.delete(&request.into_inner().value)
    }
}

#[tonic::async_trait]
impl WorkflowExecutionQueryController for State {
    type subscribeStream = Updates<WorkflowExecution>;

    async fn subscribe(
        &self,
        request: Request<SubscribeWorkflowExecutionRequest>,
    ) -> Answer<Updates<WorkflowExecution>> {
        subscribe(
            &self.workflow_executions,
            &request.into_inner().execution_id,
        )
    }

    async fn get(&self, request: Request<WorkflowExecutionId>) -> Answer<WorkflowExecution> {
        self.workflow_executions.get(&request.into_inner().value)
    }

    async fn list(
        &self,
        request: Request<ListWorkflowExecutionsRequest>,
    ) -> Answer<WorkflowExecutionList> {
        let ListWorkflowExecutionsRequest {
            page_size,
            page_token,
            phase,
            ..
        } = request.into_inner();
        Ok(Response::new(WorkflowExecutionList {
            total_pages: 1,
            entries: list(&self.workflow_executions, phase, &page_token, page_size),
        }))
    }

    async fn list_by_workflow(
        &self,
        _: Request<ListWorkflowExecutionsByWorkflowRequest>,
    ) -> Answer<WorkflowExecutionList> {
        Err(Status::unimplemented("listByWorkflow"))
    }
}
