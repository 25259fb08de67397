//! Sub-agents: helpers that an agent may hand work to.

use std::collections::BTreeMap;

use stigmer_api::agent as api;

use crate::{SkillRef, ValidationError, error::ConversionError};

/// A helper of an agent.
///
/// Nothing is checked before the resources are handed over; the instructions then need at least
/// 10 characters.
#[derive(Clone, Debug, PartialEq)]
pub struct SubAgent {
    name: String,
    description: String,
    instructions: String,
    mcp_servers: Vec<String>,
    tool_selections: BTreeMap<String, Vec<String>>,
    skill_refs: Vec<SkillRef>,
}

impl SubAgent {
    /// The helper `name` with its instructions.
    pub fn new(name: impl Into<String>, instructions: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            instructions: instructions.into(),
            mcp_servers: Vec::new(),
            tool_selections: BTreeMap::new(),
            skill_refs: Vec::new(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When to hand work to it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// A server of the parent agent that it may use, by name.
    #[must_use]
    pub fn mcp_server(mut self, name: impl Into<String>) -> Self {
        self.mcp_servers.push(name.into());
        self
    }

    /// The only tools of `server` that it may use.
    #[must_use]
    pub fn select_tools(
        mut self,
        server: impl Into<String>,
        tools: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.tool_selections
            .entry(server.into())
            .or_default()
            .extend(tools.into_iter().map(Into::into));
        self
    }

    /// A skill that it uses.
    #[must_use]
    pub fn skill_ref(mut self, reference: SkillRef) -> Self {
        self.skill_refs.push(reference);
        self
    }

    /// `at` names this sub-agent in errors; `servers` are those of its agent, by name.
    pub(crate) fn to_proto(
        &self,
        at: &str,
        servers: &[&str],
    ) -> Result<api::SubAgent, ConversionError> {
        self.check_servers(at, servers)?;
        let selections = self.tool_selections.iter().map(|(server, tools)| {
            (
                server.clone(),
                api::McpToolSelection {
                    enabled_tools: tools.clone(),
                },
            )
        });
        Ok(api::SubAgent {
            name: self.name.clone(),
            description: self.description.clone(),
            instructions: self.instructions.clone(),
            mcp_servers: self.mcp_servers.clone(),
            mcp_tool_selections: selections.collect(),
            skill_refs: skill_refs(&self.skill_refs, &format!("{at}.skill_refs"))?,
        })
    }
}

impl SubAgent {
    /// It uses servers of its agent only, and selects tools of servers that it uses.
    fn check_servers(&self, at: &str, servers: &[&str]) -> Result<(), ConversionError> {
        for (index, server) in self.mcp_servers.iter().enumerate() {
            if !servers.contains(&server.as_str()) {
                return Err(ConversionError::Field {
                    field: format!("{at}.mcp_servers[{index}]"),
                    reason: ValidationError::ServerUnknown {
                        server: server.clone(),
                    },
                });
            }
        }
        let unused = |server: &&String| !self.mcp_servers.contains(server);
        match self.tool_selections.keys().find(unused) {
            Some(server) => Err(ConversionError::Field {
                field: format!("{at}.mcp_tool_selections"),
                reason: ValidationError::ServerUnused {
                    server: server.clone(),
                },
            }),
            None => Ok(()),
        }
    }
}

/// References as messages; `at` is the field that holds them.
pub(crate) fn skill_refs(
    references: &[SkillRef],
    at: &str,
) -> Result<Vec<stigmer_api::ApiResourceReference>, ConversionError> {
    let convert = |(index, reference): (usize, &SkillRef)| {
        reference
            .to_proto()
            .map_err(|reason| ConversionError::Field {
                field: format!("{at}[{index}]"),
                reason,
            })
    };
    references.iter().enumerate().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_sub_agents_keep_kind_and_version() {
        let helper = SubAgent::new("expert", "Know everything about code.")
            .description("Asks nobody")
            .mcp_server("github")
            .select_tools("github", ["create_issue"])
            .skill_ref(SkillRef::platform("security-analysis").version("stable"));
        let message = helper.to_proto("spec.sub_agents[0]", &["github"]).unwrap();
        assert_eq!(
            (
                message.skill_refs[0].kind,
                message.skill_refs[0].version.as_str()
            ),
            (43, "stable")
        );
        assert_eq!(message.mcp_servers, ["github"]);
        assert_eq!(
            message.mcp_tool_selections["github"].enabled_tools,
            ["create_issue"]
        );
    }

    #[test]
    fn a_bad_reference_is_named_by_its_place() {
        let helper = SubAgent::new("expert", "Know everything.").skill_ref(SkillRef::platform(""));
        assert_eq!(
            helper
                .to_proto("spec.sub_agents[2]", &[])
                .unwrap_err()
                .to_string(),
            "spec.sub_agents[2].skill_refs[0]: slug cannot be empty"
        );
    }

    #[test]
    fn servers_and_tools_belong_to_what_was_declared() {
        let refused = |helper: SubAgent| {
            let error = helper.to_proto("spec.sub_agents[0]", &["github"]);
            error.unwrap_err().to_string()
        };
        let helper = || SubAgent::new("sync", "Copy what is new.").mcp_server("github");
        assert_eq!(
            refused(helper().mcp_server("gitlab")),
            "spec.sub_agents[0].mcp_servers[1]: the agent has no MCP server \"gitlab\"; add it to the agent"
        );
        assert_eq!(
            refused(helper().select_tools("gitlab", ["list"])),
            "spec.sub_agents[0].mcp_tool_selections: tools of \"gitlab\" are selected, which the sub-agent does not use; add the server to it"
        );
    }
}
