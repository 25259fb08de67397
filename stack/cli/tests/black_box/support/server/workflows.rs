//! The services of workflows.

use stigmer_api::{
    ApiResourceReference,
    commons::FindApiResourcesRequest,
    workflow::{
        Workflow, WorkflowId, WorkflowList,
        workflow_command_controller_server::WorkflowCommandController,
        workflow_query_controller_server::WorkflowQueryController,
    },
};
use tonic::{Request, Response, Status};

use super::{Answer, State, resources::page};

#[tonic::async_trait]
impl WorkflowCommandController for State {
    async fn apply(&self, request: Request<Workflow>) -> Answer<Workflow> {
        self.workflows.apply(request.into_inner())
    }

    async fn create(&self, _: Request<Workflow>) -> Answer<Workflow> {
        Err(Status::unimplemented("create"))
    }

    async fn update(&self, _: Request<Workflow>) -> Answer<Workflow> {
        Err(Status::unimplemented("update"))
    }

    async fn delete(&self, request: Request<WorkflowId>) -> Answer<Workflow> {
        self.workflows.delete(&request.into_inner().value)
    }
}

#[tonic::async_trait]
impl WorkflowQueryController for State {
    async fn get(&self, request: Request<WorkflowId>) -> Answer<Workflow> {
        self.workflows.get(&request.into_inner().value)
    }

    async fn get_by_reference(&self, request: Request<ApiResourceReference>) -> Answer<Workflow> {
        self.workflows.get_by_reference(&request.into_inner())
    }

    async fn list(&self, request: Request<FindApiResourcesRequest>) -> Answer<WorkflowList> {
        let request = request.into_inner();
        let (entries, total_pages) =
            page(self.workflows.all(), request.page_number, request.page_size);
        Ok(Response::new(WorkflowList {
            entries,
            total_pages,
        }))
    }
}
