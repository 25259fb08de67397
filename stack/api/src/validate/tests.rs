use super::*;
use crate::{
    ApiResourceMetadata, ApiResourceReference, Resource,
    agent::{Agent, AgentSpec, McpServerDefinition},
};

fn agent() -> Agent {
    let mut agent = Agent::envelope();
    agent.metadata = Some(ApiResourceMetadata { name: "a".into(), owner_scope: 2, ..Default::default() });
    agent.spec = Some(AgentSpec { instructions: "Review the code.".into(), ..Default::default() });
    agent
}

fn paths(message: &Agent) -> Vec<String> {
    validate(message).map_or_else(|v| v.0.into_iter().map(|v| v.path).collect(), |()| Vec::new())
}

#[test]
fn a_correct_agent_breaks_no_rule() {
    assert_eq!(paths(&agent()), Vec::<String>::new());
}

#[test]
fn every_broken_rule_is_reported_with_its_path() {
    let mut bad = agent();
    bad.kind = "Workflow".into();
    bad.metadata_mut().owner_scope = 3;
    let spec = bad.spec.get_or_insert_default();
    spec.instructions = "too short".into();
    spec.mcp_servers.push(McpServerDefinition::default());
    spec.skill_refs.push(ApiResourceReference { kind: 40, ..Default::default() });
    assert_eq!(
        paths(&bad),
        ["kind", "metadata.owner_scope", "spec.instructions", "spec.skill_refs[0].kind", "spec.mcp_servers[0].name"]
    );
}

#[test]
fn length_counts_characters_not_bytes() {
    let mut short = agent();
    short.spec.get_or_insert_default().instructions = "ééééééééé".into();
    assert_eq!(paths(&short), ["spec.instructions"]);
}

#[test]
fn unset_messages_are_not_looked_into() {
    let mut bare = agent();
    bare.spec = None;
    assert_eq!(paths(&bare), Vec::<String>::new());
    bare.metadata = None;
    assert_eq!(paths(&bare), ["metadata"]);
}

#[test]
fn one_violation_reads_as_the_contract_says() {
    let mut short = agent();
    short.spec.get_or_insert_default().instructions.clear();
    assert_eq!(
        validate(&short).unwrap_err().to_string(),
        "validation error: spec.instructions: value length must be at least 10 characters"
    );
}

#[test]
fn every_row_names_a_field_of_the_contract_and_a_pattern_that_compiles() {
    for (message, fields) in RULES {
        let descriptor = crate::DESCRIPTORS.get_message_by_name(message).expect(message);
        for (field, rules) in *fields {
            let known = descriptor.get_field_by_name(field).is_some()
                || descriptor.oneofs().any(|o| o.name() == *field);
            assert!(known, "{message}.{field}");
            for rule in *rules {
                if let Rule::Pattern(pattern) = rule {
                    Regex::new(pattern).expect(pattern);
                }
            }
        }
    }
}
