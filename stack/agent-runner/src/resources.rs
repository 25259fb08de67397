//! What an agent has at hand for one execution: its servers are started, its skills unpacked, its
//! sub-agents made ready. What cannot be had is named, and the agent does without it.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use futures::future::join;
use stigmer_api::{ApiResourceReference, agent::AgentSpec};

use crate::{
    conversation,
    mcp::{Limits, Servers},
    skills::{Library, ReadSkillFile, SkillSource},
    sub_agents::{Delegate, ReadySubAgent},
    tools::{Tool, Toolbox},
    turn::TurnContext,
    workspace::{Workspace, WorkspaceError},
};

/// An agent, ready to work.
pub struct Resources {
    /// Its system message.
    pub instructions: String,
    /// What it may ask for.
    pub tools: Toolbox,
    /// What it has to do without, a line each.
    pub warnings: Vec<String>,
    // Programs are ended before the folder that they run in is removed.
    servers: Servers,
    _workspace: Option<Workspace>,
}

impl Resources {
    /// Gets everything that `agent` asks for.
    ///
    /// # Errors
    ///
    /// When it needs a folder and there is none to be had.
    pub async fn acquire(
        agent: &AgentSpec,
        skills: &impl SkillSource,
        context: &TurnContext,
        root: &Path,
        limits: &Limits,
    ) -> Result<Self, WorkspaceError> {
        let references = agent
            .skill_refs
            .iter()
            .chain(
                agent
                    .sub_agents
                    .iter()
                    .flat_map(|sub_agent| &sub_agent.skill_refs),
            )
            .collect::<Vec<_>>();
        let workspace = match references.is_empty() && agent.mcp_servers.is_empty() {
            true => None,
            false => Some(Workspace::create(root)?),
        };
        let folder = workspace.as_ref().map_or(root, Workspace::path);
        let environment = &context.environment;
        let (library, servers) = join(
            Library::load(skills, references, folder),
            Servers::start(&agent.mcp_servers, environment, folder, limits),
        )
        .await;
        let ((library, mut warnings), (servers, of_servers)) = (library, servers);
        warnings.extend(of_servers);
        let available = Available {
            context,
            folder,
            library: &library,
            servers: &servers,
        };
        let sub_agents = available.sub_agents(agent, &mut warnings);
        let (instructions, reading) = available.prompt(&agent.instructions, &agent.skill_refs);
        let delegate =
            Delegate::to(sub_agents, context).map(|tool| Arc::new(tool) as Arc<dyn Tool>);
        let tools = servers.tools().into_iter().chain(reading).chain(delegate);
        Ok(Self {
            instructions,
            tools: Toolbox::new(tools),
            warnings,
            servers,
            _workspace: workspace,
        })
    }

    /// Ends the programs, and then removes the folder.
    pub async fn release(self) {
        self.servers.stop().await;
    }
}

/// Where agents get what they need.
struct Available<'a> {
    context: &'a TurnContext,
    folder: &'a Path,
    library: &'a Library,
    servers: &'a Servers,
}

impl Available<'_> {
    /// The system message of an agent with these skills, and the tool that reads them.
    fn prompt(
        &self,
        instructions: &str,
        skill_refs: &[ApiResourceReference],
    ) -> (String, Option<Arc<dyn Tool>>) {
        let skills = self.library.of(skill_refs);
        let reading = skills
            .is_some()
            .then(|| Arc::new(ReadSkillFile::new(self.folder)) as Arc<dyn Tool>);
        let text = conversation::instructions(instructions, skills, &self.context.environment);
        (text, reading)
    }

    /// The sub-agents of `agent`, each with the servers of the agent that it names.
    fn sub_agents(&self, agent: &AgentSpec, warnings: &mut Vec<String>) -> Vec<ReadySubAgent> {
        let declared = agent.mcp_servers.iter().map(|server| server.name.as_str());
        let declared = declared.collect::<BTreeSet<_>>();
        let mut names = BTreeSet::new();
        let mut sub_agents = Vec::new();
        for sub_agent in &agent.sub_agents {
            let name = &sub_agent.name;
            if !names.insert(name) {
                warnings.push(format!(
                    "another sub-agent has the name {name:?} as well; the first counts"
                ));
                continue;
            }
            let selections = &sub_agent.mcp_tool_selections;
            let unused = selections
                .keys()
                .filter(|server| !sub_agent.mcp_servers.contains(server));
            warnings.extend(unused.map(|server| {
                format!("the sub-agent {name:?} selects tools of the MCP server {server:?}, which is not among its servers")
            }));
            let mut tools = Vec::new();
            for server in &sub_agent.mcp_servers {
                if !declared.contains(server.as_str()) {
                    warnings.push(format!(
                        "the sub-agent {name:?} wants the MCP server {server:?}, which the agent does not have"
                    ));
                } else if self.servers.has(server) {
                    let enabled = selections.get(server).map_or(&[][..], |s| &s.enabled_tools);
                    let (selected, missing) = self.servers.tools_of(server, enabled);
                    tools.extend(selected);
                    warnings.extend(
                        missing
                            .into_iter()
                            .map(|line| format!("sub-agent {name:?}: {line}")),
                    );
                }
            }
            let (instructions, reading) =
                self.prompt(&sub_agent.instructions, &sub_agent.skill_refs);
            tools.extend(reading);
            sub_agents.push(ReadySubAgent {
                name: name.clone(),
                description: sub_agent.description.clone(),
                instructions,
                tools: Toolbox::new(tools),
            });
        }
        sub_agents
    }
}
