use super::*;
use crate::{
    ApiResourceMetadata, ApiResourceReference, Resource,
    agent::{Agent, AgentSpec, McpServerDefinition},
};

fn agent() -> Agent {
    let mut agent = Agent::envelope();
    agent.metadata = Some(ApiResourceMetadata {
        name: "a".into(),
        owner_scope: 2,
        ..Default::default()
    });
    agent.spec = Some(AgentSpec {
        instructions: "Review the code.".into(),
        ..Default::default()
    });
    agent
}

fn paths(message: &Agent) -> Vec<String> {
    validate(message).map_or_else(
        |v| v.0.into_iter().map(|v| v.path).collect(),
        |()| Vec::new(),
    )
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
    spec.skill_refs.push(ApiResourceReference {
        kind: 40,
        ..Default::default()
    });
    assert_eq!(
        paths(&bad),
        [
            "kind",
            "metadata.owner_scope",
            "spec.instructions",
            "spec.skill_refs[0].kind",
            "spec.mcp_servers[0].name"
        ]
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
        let descriptor = crate::DESCRIPTORS
            .get_message_by_name(message)
            .expect(message);
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

/// A rule as `docs/contract/wire.md` writes it.
fn as_contract(rule: &Rule) -> String {
    let set = |list: &[i32]| {
        list.iter()
            .map(i32::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    match rule {
        Rule::Required => "required".into(),
        Rule::MinLen(n) => format!("min_len {n}"),
        Rule::MaxLen(n) => format!("max_len {n}"),
        Rule::MinItems(n) => format!("min_items {n}"),
        Rule::Const(text) => format!("const `{text}`"),
        Rule::Pattern(text) => format!("pattern `{text}`"),
        Rule::In(list) => {
            let quoted = list.iter().map(|t| {
                if t.is_empty() {
                    "`\"\"`".into()
                } else {
                    format!("`{t}`")
                }
            });
            format!("in {{{}}}", quoted.collect::<Vec<String>>().join(", "))
        }
        Rule::Gte(n) => format!("gte {n}"),
        Rule::Lte(n) => format!("lte {n}"),
        Rule::DefinedOnly => "defined_only".into(),
        Rule::Uri => "uri".into(),
        Rule::OwnerScopeIn([0]) => "`owner_scope` = 0 only".into(),
        Rule::OwnerScopeIn(list) => format!("`owner_scope` in {{{}}}", set(list)),
        // The contract demands 52 where it means 53 (B6); both are taken.
        Rule::ItemKindIn([52, 53]) => "item `kind` = 52 (sic: 52 is workflow_execution)".into(),
        Rule::ItemKindIn(list) => format!("item `kind` = {}", set(list)),
        Rule::OneofRequired => "exactly one required".into(),
    }
}

/// The constraints of one table row, without the names of CEL rules and markers.
fn constraints(cell: &str) -> Vec<String> {
    cell.replace("[expr]", "")
        .replace("each: ", "")
        .split("; ")
        .map(|part| match part.trim().strip_prefix("CEL ") {
            Some(rule) => rule
                .split_once(": ")
                .map_or(rule, |(_, text)| text)
                .to_owned(),
            None => part.trim().trim_end_matches(';').to_owned(),
        })
        .filter(|part| !part.is_empty())
        .collect()
}

/// Rules of the contract that are left out here, as its README says: a variable may be empty.
const RELAXED: &[(&str, &str)] = &[(
    "ai.stigmer.agentic.executioncontext.v1.ExecutionValue",
    "value",
)];

#[test]
fn the_rules_are_those_of_the_contract_field_by_field() {
    let wire = include_str!("../../../../docs/contract/wire.md").replace("\\|", "\u{1}");
    let mut package = String::new();
    let mut message = String::new();
    let mut wanted = Vec::new();
    for line in wire.lines() {
        if let Some(rest) = line.strip_prefix("## package `") {
            package = rest.trim_end_matches('`').to_owned();
        } else if let Some(rest) = line.strip_prefix("### ") {
            message = format!(
                "{package}.{}",
                rest.split_whitespace().next().unwrap_or_default()
            );
            if rest.contains("exactly one required") {
                wanted.push((
                    message.clone(),
                    "server_type".to_owned(),
                    vec!["exactly one required".to_owned()],
                ));
            }
        } else if !package.is_empty() && line.starts_with("| ") {
            let cells = line
                .trim_matches('|')
                .split('|')
                .map(|c| c.trim().replace('\u{1}', "|"))
                .collect::<Vec<_>>();
            if cells.len() == 5 && cells[0].parse::<u32>().is_ok() {
                let rules = constraints(&cells[4]);
                if !rules.is_empty() {
                    wanted.push((message.clone(), cells[1].clone(), rules));
                }
            }
        }
    }
    let mut ours = RULES
        .iter()
        .flat_map(|(message, fields)| {
            fields.iter().map(|(field, rules)| {
                (
                    (*message).to_owned(),
                    (*field).to_owned(),
                    rules.iter().map(as_contract).collect::<Vec<_>>(),
                )
            })
        })
        .collect::<Vec<_>>();
    let of_contract = wanted.len();
    wanted.retain(|(message, field, _)| !RELAXED.contains(&(message, field)));
    assert_eq!(wanted.len() + RELAXED.len(), of_contract);
    wanted.sort();
    ours.sort();
    assert_eq!(ours, wanted);
    assert!(ours.len() > 100, "the tables were not found");
}
