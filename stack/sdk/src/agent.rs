//! Agents.

use std::{cell::RefCell, rc::Rc};

use stigmer_api::{Resource, agent as api, validate::validate};

use crate::{
    Context, EnvironmentVariable, McpServer, SkillRef, SubAgent, ValidationError,
    envelope::{check_name, metadata},
    environment::agent_env_spec,
    error::ConversionError,
    sub_agent::skill_refs,
};

/// What an agent is made of; everything but the instructions may stay empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentArgs {
    /// What the model is told before the message; at least 10 characters.
    pub instructions: String,
    /// One line for people.
    pub description: String,
    /// The URL of a picture.
    pub icon_url: String,
    /// The organization that [`Agent::add_org_skill_ref`] refers to. Where the agent itself
    /// belongs is decided by `stigmer apply`.
    pub org: String,
    /// Where its tools come from.
    pub mcp_servers: Vec<McpServer>,
    /// What it knows.
    pub skill_refs: Vec<SkillRef>,
    /// Who helps it.
    pub sub_agents: Vec<SubAgent>,
    /// What it needs at run time.
    pub environment: Vec<EnvironmentVariable>,
}

/// An agent of this program. A cheap handle: clones are the same agent.
#[derive(Clone, Debug)]
pub struct Agent {
    name: Rc<str>,
    args: Rc<RefCell<AgentArgs>>,
}

impl Agent {
    /// Creates the agent `name` and registers it in `ctx`.
    ///
    /// # Errors
    ///
    /// When `name` is empty, longer than 63 characters, or not lower-case letters, digits, and
    /// inner hyphens. Such an agent is not registered.
    pub fn new(
        ctx: &Context,
        name: impl Into<String>,
        args: AgentArgs,
    ) -> Result<Self, ValidationError> {
        let name = name.into();
        check_name(&name)?;
        let agent = Self {
            name: name.into(),
            args: Rc::new(RefCell::new(args)),
        };
        ctx.register_agent(agent.clone());
        Ok(agent)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a skill.
    pub fn add_skill_ref(&self, reference: SkillRef) -> &Self {
        self.args.borrow_mut().skill_refs.push(reference);
        self
    }

    /// Adds the latest version of a skill of the agent's own organization, [`AgentArgs::org`].
    pub fn add_org_skill_ref(&self, slug: impl Into<String>) -> &Self {
        let org = self.args.borrow().org.clone();
        self.add_skill_ref(SkillRef::organization(org, slug))
    }

    /// Adds a server.
    pub fn add_mcp_server(&self, server: impl Into<McpServer>) -> &Self {
        self.args.borrow_mut().mcp_servers.push(server.into());
        self
    }

    /// Adds a helper.
    pub fn add_sub_agent(&self, helper: SubAgent) -> &Self {
        self.args.borrow_mut().sub_agents.push(helper);
        self
    }

    /// Adds a variable.
    pub fn add_environment_variable(&self, variable: EnvironmentVariable) -> &Self {
        self.args.borrow_mut().environment.push(variable);
        self
    }

    /// The agent as a message that keeps the contract's rules.
    pub(crate) fn to_proto(&self) -> Result<api::Agent, ConversionError> {
        let args = self.args.borrow();
        let servers = args.mcp_servers.iter().map(McpServer::name);
        let servers = servers.collect::<Vec<_>>();
        check_unique(&servers, "spec.mcp_servers")?;
        let helpers = args.sub_agents.iter().map(SubAgent::name);
        check_unique(&helpers.collect::<Vec<_>>(), "spec.sub_agents")?;
        let sub_agents = args
            .sub_agents
            .iter()
            .enumerate()
            .map(|(index, helper)| helper.to_proto(&format!("spec.sub_agents[{index}]"), &servers))
            .collect::<Result<_, _>>()?;
        let spec = api::AgentSpec {
            description: args.description.clone(),
            icon_url: args.icon_url.clone(),
            instructions: args.instructions.clone(),
            mcp_servers: args.mcp_servers.iter().map(McpServer::to_proto).collect(),
            skill_refs: skill_refs(&args.skill_refs, "spec.skill_refs")?,
            sub_agents,
            env_spec: agent_env_spec(&args.environment),
        };
        let agent = api::Agent {
            metadata: Some(metadata(&self.name)),
            spec: Some(spec),
            ..api::Agent::envelope()
        };
        validate(&agent).map_err(ConversionError::Agent)?;
        Ok(agent)
    }
}

/// The model and the parts of an agent refer to its parts by their names; `at` is the field that holds
/// them.
fn check_unique(names: &[&str], at: &str) -> Result<(), ConversionError> {
    let taken = |index: &usize| names[..*index].contains(&names[*index]);
    match (0..names.len()).find(taken) {
        Some(index) => Err(ConversionError::Field {
            field: format!("{at}[{index}].name"),
            reason: ValidationError::PartNameTaken {
                name: names[index].to_owned(),
            },
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp_server::{HttpServer, StdioServer};

    fn args() -> AgentArgs {
        AgentArgs {
            instructions: "Review the code.".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_rejected_agent_is_not_registered() {
        let ctx = Context::new();
        let error = Agent::new(&ctx, "Invalid Name!", args()).unwrap_err();
        assert_eq!(error, ValidationError::NameFormat);
        assert_eq!(ctx.agents().len(), 0);
        Agent::new(&ctx, "code-reviewer", args()).unwrap();
        assert_eq!(ctx.agents().len(), 1);
    }

    #[test]
    fn everything_in_the_args_is_in_the_message() {
        let agent = Agent::new(
            &Context::new(),
            "code-reviewer-pro",
            AgentArgs {
                description: "Professional".into(),
                icon_url: "https://example.com/icon.png".into(),
                mcp_servers: vec![StdioServer::new("github", "npx").into()],
                skill_refs: vec![SkillRef::platform("security-analysis")],
                sub_agents: vec![SubAgent::new("helper", "Help the reviewer.")],
                environment: vec![EnvironmentVariable::new("TOKEN").unwrap().secret()],
                ..args()
            },
        )
        .unwrap();
        let message = agent.to_proto().unwrap();
        assert_eq!(
            (message.api_version.as_str(), message.kind.as_str()),
            ("agentic.stigmer.ai/v1", "Agent")
        );
        assert_eq!(message.name(), "code-reviewer-pro");
        assert_eq!(message.status, None);
        let spec = message.spec.unwrap();
        assert_eq!(spec.icon_url, "https://example.com/icon.png");
        assert_eq!(
            (
                spec.mcp_servers.len(),
                spec.skill_refs.len(),
                spec.sub_agents.len()
            ),
            (1, 1, 1)
        );
        assert!(spec.env_spec.unwrap().data["TOKEN"].is_secret);
    }

    #[test]
    fn builders_add_to_what_the_args_gave() {
        let agent = Agent::new(
            &Context::new(),
            "devops",
            AgentArgs {
                org: "my-org".into(),
                skill_refs: vec![SkillRef::platform("a")],
                ..args()
            },
        )
        .unwrap();
        agent
            .add_skill_ref(SkillRef::platform("b"))
            .add_org_skill_ref("c")
            .add_mcp_server(HttpServer::new("api", "https://mcp.example.com"))
            .add_sub_agent(SubAgent::new("helper", "Help the engineer."))
            .add_environment_variable(EnvironmentVariable::new("REGION").unwrap());
        let spec = agent.to_proto().unwrap().spec.unwrap();
        assert_eq!(
            spec.skill_refs
                .iter()
                .map(|r| r.slug.as_str())
                .collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert_eq!(spec.skill_refs[2].org, "my-org");
        assert_eq!((spec.mcp_servers.len(), spec.sub_agents.len()), (1, 1));
        assert!(spec.env_spec.unwrap().data.contains_key("REGION"));
    }

    #[test]
    fn instructions_are_checked_at_conversion_not_before() {
        let agent = Agent::new(&Context::new(), "short", AgentArgs::default()).unwrap();
        assert_eq!(
            agent.to_proto().unwrap_err().to_string(),
            "agent validation failed: validation error: spec.instructions: value length must be at least 10 characters"
        );
    }

    #[test]
    fn a_server_without_a_command_is_refused_at_conversion() {
        let agent = Agent::new(&Context::new(), "devops", args()).unwrap();
        agent.add_mcp_server(StdioServer::new("github", ""));
        let error = agent.to_proto().unwrap_err().to_string();
        assert!(
            error.contains("spec.mcp_servers[0].stdio.command: value is required"),
            "{error}"
        );
    }

    #[test]
    fn two_parts_of_one_name_are_refused() {
        let refused = |agent: &Agent| agent.to_proto().unwrap_err().to_string();
        let agent = |name| Agent::new(&Context::new(), name, args()).unwrap();
        let devops = agent("devops");
        devops.add_mcp_server(StdioServer::new("github", "npx"));
        devops.add_mcp_server(HttpServer::new("github", "https://mcp.example.com"));
        assert_eq!(
            refused(&devops),
            "spec.mcp_servers[1].name: \"github\" is the name of another one of the agent; choose another name"
        );
        let lead = agent("lead");
        for _ in 0..2 {
            lead.add_sub_agent(SubAgent::new("helper", "Help the lead."));
        }
        let error = refused(&lead);
        assert!(
            error.starts_with("spec.sub_agents[1].name: \"helper\""),
            "{error}"
        );
    }
}
