//! Which agent a task calls.

use crate::Agent;

/// Where an agent belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To the platform: everybody's.
    Platform,
    /// To the organization that runs the workflow.
    Organization,
}

impl Scope {
    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Organization => "organization",
        }
    }
}

/// An agent by its slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRef {
    slug: String,
    scope: Option<Scope>,
}

impl AgentRef {
    /// The agent with this slug, wherever it belongs.
    pub fn by_slug(slug: impl Into<String>) -> Self {
        Self {
            slug: slug.into(),
            scope: None,
        }
    }

    /// Where the agent belongs.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// The slug.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The scope, if one was chosen.
    pub fn chosen_scope(&self) -> Option<Scope> {
        self.scope
    }
}

/// An agent of this program belongs to the organization, like the program's workflows.
impl From<&Agent> for AgentRef {
    fn from(agent: &Agent) -> Self {
        Self::by_slug(agent.name()).scope(Scope::Organization)
    }
}

impl From<&str> for AgentRef {
    fn from(slug: &str) -> Self {
        Self::by_slug(slug)
    }
}
