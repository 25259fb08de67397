//! A server that keeps everything in memory and lets the message decide how an execution goes.

mod agents;
mod course;
mod executions;
mod resources;
mod skills;
mod workflows;

use std::sync::Arc;

use stigmer_api::{
    agent::{
        Agent, agent_command_controller_server::AgentCommandControllerServer,
        agent_query_controller_server::AgentQueryControllerServer,
    },
    agent_execution::{
        AgentExecution,
        agent_execution_command_controller_server::AgentExecutionCommandControllerServer,
        agent_execution_query_controller_server::AgentExecutionQueryControllerServer,
    },
    skill::{PushSkillRequest, skill_command_controller_server::SkillCommandControllerServer},
    workflow::{
        Workflow, workflow_command_controller_server::WorkflowCommandControllerServer,
        workflow_query_controller_server::WorkflowQueryControllerServer,
    },
    workflow_execution::{
        WorkflowExecution,
        workflow_execution_command_controller_server::WorkflowExecutionCommandControllerServer,
        workflow_execution_query_controller_server::WorkflowExecutionQueryControllerServer,
    },
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Response, Status, transport::Server};

pub use resources::Resources;

type Answer<T> = Result<Response<T>, Status>;

/// A running server; it ends when this value goes away.
pub struct FakeServer {
    pub address: String,
    pub state: State,
    _runtime: Runtime,
}

/// What the server has.
#[derive(Clone, Default)]
pub struct State {
    pub agents: Resources<Agent>,
    pub workflows: Resources<Workflow>,
    pub agent_executions: Resources<AgentExecution>,
    pub workflow_executions: Resources<WorkflowExecution>,
    pub pushes: Arc<std::sync::Mutex<Vec<PushSkillRequest>>>,
}

impl FakeServer {
    /// A server that knows every kind.
    pub fn start() -> Self {
        Self::serve(true)
    }

    /// A server without the services of workflows.
    pub fn without_workflows() -> Self {
        Self::serve(false)
    }

    fn serve(workflows: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State::default();
        let mut server = Server::builder()
            .add_service(AgentCommandControllerServer::new(state.clone()))
            .add_service(AgentQueryControllerServer::new(state.clone()))
            .add_service(AgentExecutionCommandControllerServer::new(state.clone()))
            .add_service(AgentExecutionQueryControllerServer::new(state.clone()))
            .add_service(SkillCommandControllerServer::new(state.clone()));
        if workflows {
            server = server
                .add_service(WorkflowCommandControllerServer::new(state.clone()))
                .add_service(WorkflowQueryControllerServer::new(state.clone()))
                .add_service(WorkflowExecutionCommandControllerServer::new(state.clone()))
                .add_service(WorkflowExecutionQueryControllerServer::new(state.clone()));
        }
        runtime.spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self {
            address,
            state,
            _runtime: runtime,
        }
    }
}
