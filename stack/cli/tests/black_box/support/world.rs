//! A server, a home, and a project together.

use stigmer_api::{Resource, agent_execution::AgentExecution};

use super::{Stigmer, Went, project::Project, server::FakeServer};

pub struct World {
    pub server: FakeServer,
    pub stigmer: Stigmer,
    pub project: Project,
}

impl World {
    /// A server and a project with these agents, not yet applied.
    pub fn new(agents: &[(&str, &str)]) -> Self {
        let server = FakeServer::start();
        let stigmer = Stigmer::new(&server.address);
        Self {
            server,
            stigmer,
            project: Project::with_agents(agents),
        }
    }

    /// The same with the agents applied.
    pub fn applied(agents: &[(&str, &str)]) -> Self {
        let world = Self::new(agents);
        world.in_project(&["apply"]).well();
        world
    }

    pub fn in_project(&self, args: &[&str]) -> Went {
        self.project.run(&self.stigmer, args)
    }

    pub fn agent_id(&self, name: &str) -> String {
        self.server.state.agents.named(name).id().to_owned()
    }

    /// The executions of agents.
    pub fn executions(&self) -> Vec<AgentExecution> {
        self.server.state.agent_executions.all()
    }
}
