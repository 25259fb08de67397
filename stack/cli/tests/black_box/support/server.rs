//! A server that keeps agents in memory and lets the message decide how an execution goes. It knows
//! no workflows, like a server without that service.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use stigmer_api::{
    ApiResourceId, ApiResourceReference, Resource,
    agent::{
        Agent, AgentId,
        agent_command_controller_server::{AgentCommandController, AgentCommandControllerServer},
        agent_query_controller_server::{AgentQueryController, AgentQueryControllerServer},
    },
    agent_execution::{
        AgentExecution, AgentExecutionId, AgentExecutionList, AgentExecutionUpdateStatusInput,
        AgentMessage, ExecutionPhase, ListAgentExecutionsBySessionRequest,
        ListAgentExecutionsRequest, MessageType,
        agent_execution_command_controller_server::{
            AgentExecutionCommandController, AgentExecutionCommandControllerServer,
        },
        agent_execution_query_controller_server::{
            AgentExecutionQueryController, AgentExecutionQueryControllerServer,
        },
    },
    id,
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

type Answer<T> = Result<Response<T>, Status>;

/// A running server; it ends when this value goes away.
pub struct FakeServer {
    pub address: String,
    pub state: State,
    _runtime: Runtime,
}

#[derive(Clone, Default)]
pub struct State {
    pub agents: Arc<Mutex<BTreeMap<String, Agent>>>,
    pub executions: Arc<Mutex<BTreeMap<String, AgentExecution>>>,
}

impl FakeServer {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State::default();
        let server = Server::builder()
            .add_service(AgentCommandControllerServer::new(state.clone()))
            .add_service(AgentQueryControllerServer::new(state.clone()))
            .add_service(AgentExecutionCommandControllerServer::new(state.clone()))
            .add_service(AgentExecutionQueryControllerServer::new(state.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(server);
        Self {
            address,
            state,
            _runtime: runtime,
        }
    }
}

#[tonic::async_trait]
impl AgentCommandController for State {
    async fn apply(&self, request: Request<Agent>) -> Answer<Agent> {
        let mut new = request.into_inner();
        if new.name() == "refused" {
            return Err(Status::invalid_argument("this server refuses it"));
        }
        let mut agents = self.agents.lock().unwrap();
        let stored = agents.get(new.slug()).cloned();
        new.metadata_mut().id = stored
            .as_ref()
            .map_or_else(|| id::new_id(Agent::KIND), |agent| agent.id().to_owned());
        if let Some(stored) = &stored {
            new.take_status_of(stored);
            if new == *stored {
                return Ok(Response::new(new));
            }
        }
        new.audit_mut()
            .spec_audit
            .get_or_insert_default()
            .updated_at = Some(stigmer_api::time::timestamp_now());
        agents.insert(new.slug().to_owned(), new.clone());
        Ok(Response::new(new))
    }

    async fn create(&self, _: Request<Agent>) -> Answer<Agent> {
        Err(Status::unimplemented("create"))
    }

    async fn update(&self, _: Request<Agent>) -> Answer<Agent> {
        Err(Status::unimplemented("update"))
    }

    async fn delete(&self, _: Request<AgentId>) -> Answer<Agent> {
        Err(Status::unimplemented("delete"))
    }
}

#[tonic::async_trait]
impl AgentQueryController for State {
    async fn get(&self, request: Request<AgentId>) -> Answer<Agent> {
        let id = request.into_inner().value;
        let agents = self.agents.lock().unwrap();
        let found = agents.values().find(|agent| agent.id() == id).cloned();
        found
            .map(Response::new)
            .ok_or_else(|| Status::not_found(format!("Agent {id}")))
    }

    async fn get_by_reference(&self, request: Request<ApiResourceReference>) -> Answer<Agent> {
        let slug = request.into_inner().slug;
        if slug.is_empty() {
            return Err(Status::invalid_argument("slug is required"));
        }
        let found = self.agents.lock().unwrap().get(&slug).cloned();
        found
            .map(Response::new)
            .ok_or_else(|| Status::not_found(format!("Agent {slug}")))
    }
}

#[tonic::async_trait]
impl AgentExecutionCommandController for State {
    async fn create(&self, request: Request<AgentExecution>) -> Answer<AgentExecution> {
        let mut execution = request.into_inner();
        if message_of(&execution) == "no temporal" {
            return Err(Status::unavailable("Temporal is not connected"));
        }
        execution.metadata_mut().id = id::new_id(AgentExecution::KIND);
        execution.status = Some(Default::default());
        set_phase(&mut execution, ExecutionPhase::ExecutionPending);
        self.executions
            .lock()
            .unwrap()
            .insert(execution.id().to_owned(), execution.clone());
        Ok(Response::new(execution))
    }

    async fn update(&self, _: Request<AgentExecution>) -> Answer<AgentExecution> {
        Err(Status::unimplemented("update"))
    }

    async fn update_status(
        &self,
        _: Request<AgentExecutionUpdateStatusInput>,
    ) -> Answer<AgentExecution> {
        Err(Status::unimplemented("updateStatus"))
    }

    async fn delete(&self, _: Request<ApiResourceId>) -> Answer<AgentExecution> {
        Err(Status::unimplemented("delete"))
    }
}

#[tonic::async_trait]
impl AgentExecutionQueryController for State {
    type subscribeStream = Pin<Box<dyn Stream<Item = Result<AgentExecution, Status>> + Send>>;

    async fn subscribe(&self, request: Request<AgentExecutionId>) -> Answer<Self::subscribeStream> {
        let id = request.into_inner().value;
        let found = self.executions.lock().unwrap().get(&id).cloned();
        let execution = found.ok_or_else(|| Status::not_found(format!("AgentExecution {id}")))?;
        let goes_on = message_of(&execution) == "never end";
        let steps = tokio_stream::iter(course(execution)).throttle(Duration::from_millis(1));
        Ok(Response::new(match goes_on {
            true => Box::pin(steps.chain(tokio_stream::pending())),
            false => Box::pin(steps),
        }))
    }

    async fn get(&self, _: Request<AgentExecutionId>) -> Answer<AgentExecution> {
        Err(Status::unimplemented("get"))
    }

    async fn list(&self, _: Request<ListAgentExecutionsRequest>) -> Answer<AgentExecutionList> {
        Err(Status::unimplemented("list"))
    }

    async fn list_by_session(
        &self,
        _: Request<ListAgentExecutionsBySessionRequest>,
    ) -> Answer<AgentExecutionList> {
        Err(Status::unimplemented("listBySession"))
    }
}

/// The snapshots of an execution, as its message wants them.
fn course(pending: AgentExecution) -> Vec<Result<AgentExecution, Status>> {
    let human = (MessageType::MessageHuman, message_of(&pending).to_owned());
    let at = |phase: ExecutionPhase, answer: &str| {
        let mut execution = pending.clone();
        set_phase(&mut execution, phase);
        let messages = [human.clone(), (MessageType::MessageAi, answer.to_owned())];
        execution.status.as_mut().unwrap().messages = messages
            .into_iter()
            .filter(|(_, content)| !content.is_empty())
            .map(|(kind, content)| AgentMessage {
                r#type: kind.into(),
                content,
                ..Default::default()
            })
            .collect();
        execution
    };
    let mut steps = vec![
        Ok(pending.clone()),
        Ok(at(ExecutionPhase::ExecutionInProgress, "")),
        Ok(at(ExecutionPhase::ExecutionInProgress, "Hello")),
    ];
    match message_of(&pending) {
        "fail" => {
            let mut failed = at(ExecutionPhase::ExecutionFailed, "Hello");
            failed.status.as_mut().unwrap().error = "the model is gone".into();
            steps.push(Ok(failed));
        }
        "cancel" => steps.push(Ok(at(ExecutionPhase::ExecutionCancelled, "Hello"))),
        "break" => steps.push(Err(Status::unavailable("shutting down"))),
        "stop telling" | "never end" => {}
        _ => {
            steps.push(Ok(at(ExecutionPhase::ExecutionInProgress, "Hello you")));
            steps.push(Ok(at(ExecutionPhase::ExecutionCompleted, "Hello you!")));
        }
    }
    steps
}

fn message_of(execution: &AgentExecution) -> &str {
    execution.spec.as_ref().map_or("", |spec| &spec.message)
}

fn set_phase(execution: &mut AgentExecution, phase: ExecutionPhase) {
    execution.status.get_or_insert_default().set_phase(phase);
}
