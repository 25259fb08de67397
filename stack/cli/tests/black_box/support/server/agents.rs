//! The services of agents.

use stigmer_api::{
    ApiResourceReference,
    agent::{
        Agent, AgentId, AgentList, agent_command_controller_server::AgentCommandController,
        agent_query_controller_server::AgentQueryController,
    },
    commons::FindApiResourcesRequest,
};
use tonic::{Request, Response, Status};

use super::{Answer, State, resources::page};

#[tonic::async_trait]
impl AgentCommandController for State {
    async fn apply(&self, request: Request<Agent>) -> Answer<Agent> {
        self.agents.apply(request.into_inner())
    }

    async fn create(&self, _: Request<Agent>) -> Answer<Agent> {
        Err(Status::unimplemented("create"))
    }

    async fn update(&self, _: Request<Agent>) -> Answer<Agent> {
        Err(Status::unimplemented("update"))
    }

    async fn delete(&self, request: Request<AgentId>) -> Answer<Agent> {
        self.agents.delete(&request.into_inner().value)
    }
}

#[tonic::async_trait]
impl AgentQueryController for State {
    async fn get(&self, request: Request<AgentId>) -> Answer<Agent> {
        self.agents.get(&request.into_inner().value)
    }

    async fn get_by_reference(&self, request: Request<ApiResourceReference>) -> Answer<Agent> {
        self.agents.get_by_reference(&request.into_inner())
    }

    async fn list(&self, request: Request<FindApiResourcesRequest>) -> Answer<AgentList> {
        let request = request.into_inner();
        let (entries, total_pages) =
            page(self.agents.all(), request.page_number, request.page_size);
        Ok(Response::new(AgentList {
            entries,
            total_pages,
        }))
    }
}
