//! The validation rules of the wire contract, one row per constrained field.
//!
//! The rows say what `docs/contract/wire.md` says in its `constraints` column, and a test compares
//! the two. A field that is not listed carries no rule.

use super::Rule::{self, *};

/// A field and its rules.
type FieldRules = (&'static str, &'static [Rule]);

/// Messages and their constrained fields, in the order of the contract.
pub(super) static RULES: &[(&str, &[FieldRules])] = &[
    (
        "ai.stigmer.commons.apiresource.ApiResourceId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.commons.apiresource.ApiResourceDeleteInput",
        &[("resource_id", &[Required])],
    ),
    (
        "ai.stigmer.commons.apiresource.ApiResourceByOrgBySlugRequest",
        &[("org", &[Required]), ("slug", &[Required])],
    ),
    (
        "ai.stigmer.commons.apiresource.FindApiResourcesRequest",
        &[("org", &[Required])],
    ),
    (
        "ai.stigmer.commons.apiresource.ApiResourceReference",
        &[
            ("scope", &[DefinedOnly]),
            (
                "version",
                &[Pattern(r"^$|^latest$|^[a-zA-Z0-9._-]+$|^[a-f0-9]{64}$")],
            ),
        ],
    ),
    (
        "ai.stigmer.commons.apiresource.ApiResourceMetadata",
        &[("owner_scope", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.Agent",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("Agent")]),
            ("metadata", &[Required, OwnerScopeIn(&[1, 2])]),
        ],
    ),
    (
        "ai.stigmer.agentic.agent.v1.AgentId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.AgentSpec",
        &[
            ("instructions", &[MinLen(10)]),
            ("skill_refs", &[ItemKindIn(&[43])]),
        ],
    ),
    (
        "ai.stigmer.agentic.agent.v1.SubAgent",
        &[
            ("name", &[Required]),
            ("instructions", &[MinLen(10)]),
            ("skill_refs", &[ItemKindIn(&[43])]),
        ],
    ),
    (
        "ai.stigmer.agentic.agent.v1.McpServerDefinition",
        &[("name", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.StdioServer",
        &[("command", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.HttpServer",
        &[("url", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.DockerServer",
        &[("image", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.VolumeMount",
        &[("host_path", &[Required]), ("container_path", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agent.v1.PortMapping",
        &[("host_port", &[Gte(1)]), ("container_port", &[Gte(1)])],
    ),
    (
        "ai.stigmer.agentic.agentinstance.v1.AgentInstance",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("AgentInstance")]),
            ("metadata", &[Required]),
        ],
    ),
    (
        "ai.stigmer.agentic.agentinstance.v1.AgentInstanceId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentinstance.v1.GetAgentInstancesByAgentRequest",
        &[("agent_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentinstance.v1.AgentInstanceSpec",
        &[
            ("agent_id", &[MinLen(1)]),
            ("environment_refs", &[ItemKindIn(&[52, 53])]),
        ],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentExecution",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("AgentExecution")]),
            ("metadata", &[Required, OwnerScopeIn(&[0])]),
        ],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentExecutionStatus",
        &[("phase", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentMessage",
        &[("type", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.ToolCall",
        &[("status", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.SubAgentExecution",
        &[("status", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentExecutionUpdateStatusInput",
        &[("execution_id", &[MinLen(1)]), ("status", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentExecutionId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.SessionId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.ListAgentExecutionsBySessionRequest",
        &[("session_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.agentexecution.v1.AgentExecutionSpec",
        &[("message", &[MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.session.v1.Session",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("Session")]),
            ("metadata", &[Required, OwnerScopeIn(&[2, 3])]),
        ],
    ),
    (
        "ai.stigmer.agentic.session.v1.SessionId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.session.v1.AgentId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.session.v1.ListSessionsByAgentRequest",
        &[("agent_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.session.v1.SessionSpec",
        &[("agent_instance_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.Workflow",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("Workflow")]),
            ("metadata", &[Required, OwnerScopeIn(&[1, 2])]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.WorkflowId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.WorkflowSpec",
        &[("document", &[Required]), ("tasks", &[MinItems(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.WorkflowDocument",
        &[
            ("dsl", &[Pattern(r"^1\.0\.0$")]),
            ("namespace", &[Required]),
            ("name", &[Required]),
            ("version", &[Required]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.WorkflowTask",
        &[
            ("name", &[Required]),
            ("kind", &[Required]),
            ("task_config", &[Required]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.Export",
        &[("as", &[MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.AgentCallTaskConfig",
        &[
            ("agent", &[Required, MinLen(1), MaxLen(63)]),
            ("message", &[Required, MinLen(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.AgentExecutionConfig",
        &[
            ("timeout", &[Gte(1), Lte(3600)]),
            ("temperature", &[Gte(0), Lte(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.CallActivityTaskConfig",
        &[("activity", &[Required, MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.ForTaskConfig",
        &[
            ("each", &[Required, MinLen(1)]),
            ("in", &[Required, MinLen(1)]),
            ("do", &[MinItems(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.ForkTaskConfig",
        &[("branches", &[MinItems(2)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.ForkBranch",
        &[("name", &[Required, MinLen(1)]), ("do", &[MinItems(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.GrpcCallTaskConfig",
        &[
            ("service", &[Required, MinLen(1)]),
            ("method", &[Required, MinLen(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.HttpCallTaskConfig",
        &[
            (
                "method",
                &[Required, In(&["GET", "POST", "PUT", "DELETE", "PATCH"])],
            ),
            ("endpoint", &[Required]),
            ("timeout_seconds", &[Gte(1), Lte(300)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.HttpEndpoint",
        &[("uri", &[Required, MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.ListenTaskConfig",
        &[("to", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.ListenTo",
        &[
            ("mode", &[Required, In(&["one", "all"])]),
            ("signals", &[MinItems(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.SignalSpec",
        &[
            ("id", &[Required, MinLen(1)]),
            ("type", &[Required, In(&["signal", "query", "update"])]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.RaiseTaskConfig",
        &[
            ("error", &[Required, MinLen(1)]),
            ("message", &[Required, MinLen(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.RunTaskConfig",
        &[("workflow", &[Required, MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.SetTaskConfig",
        &[("variables", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.SwitchTaskConfig",
        &[("cases", &[MinItems(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.SwitchCase",
        &[
            ("name", &[Required, MinLen(1)]),
            ("then", &[Required, MinLen(1)]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.TryTaskConfig",
        &[("try", &[MinItems(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.CatchBlock",
        &[("do", &[MinItems(1)])],
    ),
    (
        "ai.stigmer.agentic.workflow.v1.tasks.WaitTaskConfig",
        &[("seconds", &[Required, Gte(1)])],
    ),
    (
        "ai.stigmer.agentic.workflowinstance.v1.WorkflowInstance",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("WorkflowInstance")]),
            ("metadata", &[Required]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflowinstance.v1.WorkflowInstanceId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowinstance.v1.GetWorkflowInstancesByWorkflowRequest",
        &[("workflow_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowinstance.v1.WorkflowInstanceSpec",
        &[("workflow_id", &[MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecution",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("WorkflowExecution")]),
            ("metadata", &[Required, OwnerScopeIn(&[2, 3])]),
        ],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionStatus",
        &[("phase", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowTask",
        &[("task_type", &[DefinedOnly]), ("status", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionUpdateStatusInput",
        &[("execution_id", &[MinLen(1)]), ("status", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.ListWorkflowExecutionsByWorkflowRequest",
        &[("workflow_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.SubscribeWorkflowExecutionRequest",
        &[("execution_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowexecution.v1.WorkflowExecutionUpdate",
        &[("update_type", &[DefinedOnly])],
    ),
    (
        "ai.stigmer.agentic.workflowrunner.v1.WorkflowExecuteInput",
        &[("workflow_execution_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowrunner.v1.CancelExecutionRequest",
        &[("execution_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowrunner.v1.PauseExecutionRequest",
        &[("execution_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.workflowrunner.v1.ResumeExecutionRequest",
        &[("execution_id", &[Required])],
    ),
    (
        "ai.stigmer.agentic.skill.v1.Skill",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("Skill")]),
            ("metadata", &[Required, OwnerScopeIn(&[1, 2])]),
        ],
    ),
    (
        "ai.stigmer.agentic.skill.v1.SkillId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.skill.v1.PushSkillRequest",
        &[
            ("name", &[Required]),
            ("scope", &[DefinedOnly]),
            ("artifact", &[Required]),
            ("tag", &[Pattern(r"^$|^[a-zA-Z0-9._-]+$")]),
        ],
    ),
    (
        "ai.stigmer.agentic.skill.v1.GetArtifactRequest",
        &[("artifact_storage_key", &[Required])],
    ),
    (
        "ai.stigmer.agentic.skill.v1.SkillSpec",
        &[
            ("skill_md", &[MinLen(1)]),
            ("tag", &[Pattern(r"^$|^[a-zA-Z0-9._-]+$")]),
        ],
    ),
    (
        "ai.stigmer.agentic.skill.v1.SkillStatus",
        &[("version_hash", &[Pattern(r"^[a-f0-9]{64}$")])],
    ),
    (
        "ai.stigmer.agentic.environment.v1.Environment",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("Environment")]),
            ("metadata", &[Required, OwnerScopeIn(&[2, 3])]),
        ],
    ),
    (
        "ai.stigmer.agentic.environment.v1.EnvironmentId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.executioncontext.v1.ExecutionContext",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("ExecutionContext")]),
            ("metadata", &[Required, OwnerScopeIn(&[0])]),
        ],
    ),
    (
        "ai.stigmer.agentic.executioncontext.v1.ExecutionContextId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.executioncontext.v1.ExecutionContextSpec",
        &[("execution_id", &[MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.McpServer",
        &[
            ("api_version", &[Const("agentic.stigmer.ai/v1")]),
            ("kind", &[Const("McpServer")]),
            ("metadata", &[Required]),
        ],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.McpServerId",
        &[("value", &[Required])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.McpServerSpec",
        &[("server_type", &[OneofRequired])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.StdioServerConfig",
        &[("command", &[Required])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.HttpServerConfig",
        &[
            ("url", &[Required, Uri]),
            ("timeout_seconds", &[Gte(0), Lte(300)]),
        ],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.DockerServerConfig",
        &[("image", &[Required, MinLen(1)])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.VolumeMount",
        &[("host_path", &[Required]), ("container_path", &[Required])],
    ),
    (
        "ai.stigmer.agentic.mcpserver.v1.PortMapping",
        &[
            ("host_port", &[Gte(1), Lte(65535)]),
            ("container_port", &[Gte(1), Lte(65535)]),
            ("protocol", &[In(&["", "tcp", "udp"])]),
        ],
    ),
];
