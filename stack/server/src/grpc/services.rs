//! Each service is a table: method, request, answer, and the function that serves it.

use stigmer_api::{
    ApiResourceDeleteInput, ApiResourceId, ApiResourceReference, FindApiResourcesRequest,
    MAX_MESSAGE_BYTES, agent, agent_execution, agent_instance, environment, execution_context,
    mcp_server, session, skill, workflow, workflow_execution, workflow_instance,
};
use tonic::service::Routes;

use super::adapter::service;
use crate::{kinds, requests, state::State};

/// Serves every service from one state.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) state: State,
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
    list(FindApiResourcesRequest) -> agent::AgentList = requests::list_of_org;
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
        = kinds::execution::create;
    update(agent_execution::AgentExecution) -> agent_execution::AgentExecution = requests::update;
    update_status(agent_execution::AgentExecutionUpdateStatusInput) -> agent_execution::AgentExecution
        = kinds::execution::update_status;
    delete(ApiResourceId) -> agent_execution::AgentExecution = kinds::execution::delete;
}

service! { agent_execution::agent_execution_query_controller_server::AgentExecutionQueryController:
    get(agent_execution::AgentExecutionId) -> agent_execution::AgentExecution = requests::get;
    list(agent_execution::ListAgentExecutionsRequest) -> agent_execution::AgentExecutionList
        = kinds::agent_execution::list;
    list_by_session(agent_execution::ListAgentExecutionsBySessionRequest)
        -> agent_execution::AgentExecutionList = kinds::agent_execution::list_by_session;
    @stream subscribe(agent_execution::AgentExecutionId) -> agent_execution::AgentExecution
        = kinds::execution::subscribe as subscribeStream;
}

service! { workflow::workflow_command_controller_server::WorkflowCommandController:
    apply(workflow::Workflow) -> workflow::Workflow = kinds::workflow::apply;
    create(workflow::Workflow) -> workflow::Workflow = kinds::workflow::create;
    update(workflow::Workflow) -> workflow::Workflow = kinds::workflow::update;
    delete(workflow::WorkflowId) -> workflow::Workflow = requests::delete;
}

service! { workflow::workflow_query_controller_server::WorkflowQueryController:
    get(workflow::WorkflowId) -> workflow::Workflow = requests::get;
    get_by_reference(ApiResourceReference) -> workflow::Workflow = requests::get_by_reference;
    list(FindApiResourcesRequest) -> workflow::WorkflowList = requests::list_of_org;
}

service! { workflow_instance::workflow_instance_command_controller_server::WorkflowInstanceCommandController:
    apply(workflow_instance::WorkflowInstance) -> workflow_instance::WorkflowInstance = requests::apply;
    create(workflow_instance::WorkflowInstance) -> workflow_instance::WorkflowInstance = requests::create;
    update(workflow_instance::WorkflowInstance) -> workflow_instance::WorkflowInstance = requests::update;
    delete(workflow_instance::WorkflowInstanceId) -> workflow_instance::WorkflowInstance
        = requests::delete;
}

service! { workflow_instance::workflow_instance_query_controller_server::WorkflowInstanceQueryController:
    get(workflow_instance::WorkflowInstanceId) -> workflow_instance::WorkflowInstance = requests::get;
    get_by_workflow(workflow_instance::GetWorkflowInstancesByWorkflowRequest)
        -> workflow_instance::WorkflowInstanceList = kinds::workflow_instance::get_by_workflow;
    get_by_reference(ApiResourceReference) -> workflow_instance::WorkflowInstance
        = requests::get_by_reference;
}

service! { workflow_execution::workflow_execution_command_controller_server::WorkflowExecutionCommandController:
    create(workflow_execution::WorkflowExecution) -> workflow_execution::WorkflowExecution
        = kinds::execution::create;
    update(workflow_execution::WorkflowExecution) -> workflow_execution::WorkflowExecution
        = requests::update;
    update_status(workflow_execution::WorkflowExecutionUpdateStatusInput)
        -> workflow_execution::WorkflowExecution = kinds::execution::update_status;
    delete(ApiResourceId) -> workflow_execution::WorkflowExecution = kinds::execution::delete;
}

service! { workflow_execution::workflow_execution_query_controller_server::WorkflowExecutionQueryController:
    get(workflow_execution::WorkflowExecutionId) -> workflow_execution::WorkflowExecution = requests::get;
    list(workflow_execution::ListWorkflowExecutionsRequest)
        -> workflow_execution::WorkflowExecutionList = kinds::workflow_execution::list;
    list_by_workflow(workflow_execution::ListWorkflowExecutionsByWorkflowRequest)
        -> workflow_execution::WorkflowExecutionList = kinds::workflow_execution::list_by_workflow;
    @stream subscribe(workflow_execution::SubscribeWorkflowExecutionRequest)
        -> workflow_execution::WorkflowExecution = kinds::execution::subscribe as subscribeStream;
}

service! { environment::environment_command_controller_server::EnvironmentCommandController:
    apply(environment::Environment) -> environment::Environment = requests::apply;
    create(environment::Environment) -> environment::Environment = requests::create;
    update(environment::Environment) -> environment::Environment = requests::update;
    delete(ApiResourceDeleteInput) -> environment::Environment = requests::delete;
}

service! { environment::environment_query_controller_server::EnvironmentQueryController:
    get(ApiResourceId) -> environment::Environment = requests::get;
    get_by_reference(ApiResourceReference) -> environment::Environment = requests::get_by_reference;
}

// An execution context is written once: applying one that exists is refused as a duplicate.
service! { execution_context::execution_context_command_controller_server::ExecutionContextCommandController:
    apply(execution_context::ExecutionContext) -> execution_context::ExecutionContext = requests::create;
    create(execution_context::ExecutionContext) -> execution_context::ExecutionContext = requests::create;
    delete(ApiResourceDeleteInput) -> execution_context::ExecutionContext = requests::delete;
}

service! { execution_context::execution_context_query_controller_server::ExecutionContextQueryController:
    get(execution_context::ExecutionContextId) -> execution_context::ExecutionContext = requests::get;
    get_by_reference(ApiResourceReference) -> execution_context::ExecutionContext
        = requests::get_by_reference;
}

service! { mcp_server::mcp_server_command_controller_server::McpServerCommandController:
    apply(mcp_server::McpServer) -> mcp_server::McpServer = requests::apply;
    create(mcp_server::McpServer) -> mcp_server::McpServer = requests::create;
    update(mcp_server::McpServer) -> mcp_server::McpServer = requests::update;
    delete(ApiResourceDeleteInput) -> mcp_server::McpServer = requests::delete;
}

service! { mcp_server::mcp_server_query_controller_server::McpServerQueryController:
    get(ApiResourceId) -> mcp_server::McpServer = requests::get;
    get_by_reference(ApiResourceReference) -> mcp_server::McpServer = requests::get_by_reference;
}

service! { skill::skill_command_controller_server::SkillCommandController:
    push(skill::PushSkillRequest) -> skill::Skill = kinds::skill::push;
    delete(skill::SkillId) -> skill::Skill = requests::delete;
}

service! { skill::skill_query_controller_server::SkillQueryController:
    get(skill::SkillId) -> skill::Skill = requests::get;
    get_by_reference(ApiResourceReference) -> skill::Skill = kinds::skill::get_by_reference;
    get_artifact(skill::GetArtifactRequest) -> skill::GetArtifactResponse = kinds::skill::get_artifact;
}

/// Every service of the contract that this server has, over `state`.
pub(super) fn routes(state: State) -> Routes {
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
        workflow::workflow_command_controller_server::WorkflowCommandControllerServer;
        workflow::workflow_query_controller_server::WorkflowQueryControllerServer;
        workflow_instance::workflow_instance_command_controller_server::WorkflowInstanceCommandControllerServer;
        workflow_instance::workflow_instance_query_controller_server::WorkflowInstanceQueryControllerServer;
        workflow_execution::workflow_execution_command_controller_server::WorkflowExecutionCommandControllerServer;
        workflow_execution::workflow_execution_query_controller_server::WorkflowExecutionQueryControllerServer;
        environment::environment_command_controller_server::EnvironmentCommandControllerServer;
        environment::environment_query_controller_server::EnvironmentQueryControllerServer;
        execution_context::execution_context_command_controller_server::ExecutionContextCommandControllerServer;
        execution_context::execution_context_query_controller_server::ExecutionContextQueryControllerServer;
        mcp_server::mcp_server_command_controller_server::McpServerCommandControllerServer;
        mcp_server::mcp_server_query_controller_server::McpServerQueryControllerServer;
        skill::skill_command_controller_server::SkillCommandControllerServer;
        skill::skill_query_controller_server::SkillQueryControllerServer;
    }
    routes.routes()
}
