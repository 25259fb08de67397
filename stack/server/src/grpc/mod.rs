//! The API on the wire. Each service is a table: method, request, answer, and the function that
//! serves it.

mod answer;
mod log;
mod service;

#[cfg(test)]
mod tests;

use std::future::Future;

use anyhow::Context as _;
use stigmer_api::{
    ApiResourceId, ApiResourceReference, DESCRIPTOR_SET, MAX_MESSAGE_BYTES, agent, agent_execution,
    agent_instance, session,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{self, Server, server::TcpIncoming},
};
use tonic_health::pb::health_server::{Health, HealthServer};

use answer::WireStatusLayer;
use log::LogLayer;

use crate::{kinds, requests, state::State};
use service::service;

/// Serves every service from one state.
#[derive(Clone)]
struct Api {
    state: State,
}

service! { agent::agent_command_controller_server::AgentCommandController:
    apply(agent::Agent) -> agent::Agent = requests::apply;
    create(agent::Agent) -> agent::Agent = requests::create;
    update(agent::Agent) -> agent::Agent = requests::update;
    delete(agent::AgentId) -> agent::Agent = requests::delete;
}

service! { agent::agent_query_controller_server::AgentQueryController:
    get(agent::AgentId) -> agent::Agent = requests::get;
    get_by_reference(ApiResourceReference) -> agent::Agent = requests::get_by_reference;
}

service! { agent_instance::agent_instance_command_controller_server::AgentInstanceCommandController:
    apply(agent_instance::AgentInstance) -> agent_instance::AgentInstance = requests::apply;
    create(agent_instance::AgentInstance) -> agent_instance::AgentInstance = requests::create;
    update(agent_instance::AgentInstance) -> agent_instance::AgentInstance = requests::update;
    delete(agent_instance::AgentInstanceId) -> agent_instance::AgentInstance = requests::delete;
}

service! { agent_instance::agent_instance_query_controller_server::AgentInstanceQueryController:
    get(agent_instance::AgentInstanceId) -> agent_instance::AgentInstance = requests::get;
    get_by_agent(agent_instance::GetAgentInstancesByAgentRequest) -> agent_instance::AgentInstanceList
        = kinds::agent_instance::get_by_agent;
    get_by_reference(ApiResourceReference) -> agent_instance::AgentInstance = requests::get_by_reference;
}

service! { session::session_command_controller_server::SessionCommandController:
    apply(session::Session) -> session::Session = requests::apply;
    create(session::Session) -> session::Session = requests::create;
    update(session::Session) -> session::Session = requests::update;
    delete(session::SessionId) -> session::Session = requests::delete;
}

service! { session::session_query_controller_server::SessionQueryController:
    get(session::SessionId) -> session::Session = requests::get;
    list(session::ListSessionsRequest) -> session::SessionList = kinds::session::list;
    list_by_agent(session::ListSessionsByAgentRequest) -> session::SessionList
        = kinds::session::list_by_agent;
}

service! { agent_execution::agent_execution_command_controller_server::AgentExecutionCommandController:
    create(agent_execution::AgentExecution) -> agent_execution::AgentExecution
        = kinds::agent_execution::create;
    update(agent_execution::AgentExecution) -> agent_execution::AgentExecution = requests::update;
    update_status(agent_execution::AgentExecutionUpdateStatusInput) -> agent_execution::AgentExecution
        = kinds::agent_execution::update_status;
    delete(ApiResourceId) -> agent_execution::AgentExecution = kinds::agent_execution::delete;
}

service! { agent_execution::agent_execution_query_controller_server::AgentExecutionQueryController:
    get(agent_execution::AgentExecutionId) -> agent_execution::AgentExecution = requests::get;
    list(agent_execution::ListAgentExecutionsRequest) -> agent_execution::AgentExecutionList
        = kinds::agent_execution::list;
    list_by_session(agent_execution::ListAgentExecutionsBySessionRequest)
        -> agent_execution::AgentExecutionList = kinds::agent_execution::list_by_session;
    @stream subscribe(agent_execution::AgentExecutionId) -> agent_execution::AgentExecution
        = kinds::agent_execution::subscribe as subscribeStream;
}

/// Serves the API, health, and reflection on `listener`, until `stopping` is cancelled and the calls
/// in flight are answered.
pub fn serve(
    state: State,
    health: HealthServer<impl Health>,
    listener: TcpListener,
    stopping: CancellationToken,
) -> anyhow::Result<impl Future<Output = Result<(), transport::Error>> + Send + 'static> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let broken = "the descriptors of the contract are not fit for reflection";
    Ok(Server::builder()
        .layer(LogLayer)
        .layer(WireStatusLayer)
        .add_routes(routes(state))
        .add_service(health)
        .add_service(reflection().build_v1().context(broken)?)
        .add_service(reflection().build_v1alpha().context(broken)?)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stopping.cancelled_owned(),
        ))
}

/// Every service of the contract that this server has, over `state`.
fn routes(state: State) -> Routes {
    let api = Api { state };
    let mut routes = Routes::builder();
    macro_rules! add {
        ($($package:ident :: $module:ident :: $server:ident;)*) => {$(
            routes.add_service(
                $package::$module::$server::new(api.clone())
                    .max_decoding_message_size(MAX_MESSAGE_BYTES)
                    .max_encoding_message_size(MAX_MESSAGE_BYTES),
            );
        )*};
    }
    add! {
        agent::agent_command_controller_server::AgentCommandControllerServer;
        agent::agent_query_controller_server::AgentQueryControllerServer;
        agent_instance::agent_instance_command_controller_server::AgentInstanceCommandControllerServer;
        agent_instance::agent_instance_query_controller_server::AgentInstanceQueryControllerServer;
        session::session_command_controller_server::SessionCommandControllerServer;
        session::session_query_controller_server::SessionQueryControllerServer;
        agent_execution::agent_execution_command_controller_server::AgentExecutionCommandControllerServer;
        agent_execution::agent_execution_query_controller_server::AgentExecutionQueryControllerServer;
    }
    routes.routes()
}
