//! The compiled descriptors against the fact tables of `docs/contract/wire.md`, row by row.

use std::{collections::BTreeMap, sync::LazyLock};

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use stigmer_api::{ApiResourceKind, DESCRIPTORS, kind};

const WIRE: &str = include_str!("../../../docs/contract/wire.md");

static PACKAGES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    WIRE.split("\n## package `")
        .skip(1)
        .filter_map(|part| part.split_once('`'))
        .map(|(name, body)| (name, body.split("\n## ").next().unwrap_or(body)))
        .collect()
});

/// The cells of a table row, without the outer bars; `\|` is a bar inside a cell.
fn cells(row: &str) -> Vec<String> {
    row.replace("\\|", "\u{1}")
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().replace('\u{1}', "|"))
        .collect()
}

fn rows<'a>(section: &'a str, first: &'a str) -> impl Iterator<Item = Vec<String>> + 'a {
    section
        .lines()
        .filter(move |line| line.starts_with("| ") && !line.starts_with(first))
        .map(cells)
}

/// A type as the tables write it, resolved to its full name.
fn full_type(written: &str, package: &str) -> String {
    if let Some(value) = written
        .strip_prefix("map<string, ")
        .and_then(|t| t.strip_suffix('>'))
    {
        return format!("map<string, {}>", full_type(value, package));
    }
    let scalar = ["string", "bool", "bytes", "float", "int32"].contains(&written);
    let prefixes = [
        ("kind.", "ai.stigmer.commons.apiresource.apiresourcekind."),
        ("apires.", "ai.stigmer.commons.apiresource."),
        ("rpc.", "ai.stigmer.commons.rpc."),
    ];
    let prefixed = prefixes
        .iter()
        .find_map(|(p, full)| written.strip_prefix(p).map(|rest| format!("{full}{rest}")));
    match prefixed {
        Some(full) => full,
        None if scalar || written.starts_with("google.protobuf.") => written.to_owned(),
        None if written.contains(".v1.") => format!("ai.stigmer.agentic.{written}"),
        None => format!("{package}.{written}"),
    }
}

fn compiled_type(field: &FieldDescriptor) -> String {
    let name = |kind: &Kind| match kind {
        Kind::Message(m) => m.full_name().to_owned(),
        Kind::Enum(e) => e.full_name().to_owned(),
        Kind::String => "string".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Bytes => "bytes".to_owned(),
        Kind::Float => "float".to_owned(),
        Kind::Int32 => "int32".to_owned(),
        other => format!("{other:?}"),
    };
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => {
            format!(
                "map<string, {}>",
                name(&entry.map_entry_value_field().kind())
            )
        }
        kind => name(&kind),
    }
}

fn messages(package: &str) -> BTreeMap<String, MessageDescriptor> {
    DESCRIPTORS
        .all_messages()
        .filter(|m| m.package_name() == package && !m.is_map_entry())
        .map(|m| (m.name().to_owned(), m))
        .collect()
}

fn enums(package: &str) -> BTreeMap<String, EnumDescriptor> {
    DESCRIPTORS
        .all_enums()
        .filter(|e| e.package_name() == package)
        .map(|e| (e.name().to_owned(), e))
        .collect()
}

#[test]
fn every_method_has_the_listed_path_request_response_and_mode() {
    let index = WIRE
        .split("## Index")
        .nth(1)
        .and_then(|t| t.split("\n## ").next())
        .expect("the index section");
    let mut wanted = BTreeMap::new();
    for row in rows(index, "| gRPC").filter(|row| row[0].starts_with('`')) {
        let path = row[0].trim_matches('`').to_owned();
        let package = path[1..]
            .rsplit_once('.')
            .map(|(p, _)| p)
            .expect("a package")
            .to_owned();
        wanted.insert(
            path,
            (
                full_type(&row[1], &package),
                full_type(&row[2], &package),
                row[3].clone(),
            ),
        );
    }
    let compiled = DESCRIPTORS
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|m| {
            let mode = if m.is_server_streaming() {
                "server-stream"
            } else {
                "unary"
            };
            let path = format!("/{}/{}", m.parent_service().full_name(), m.name());
            (
                path,
                (
                    m.input().full_name().to_owned(),
                    m.output().full_name().to_owned(),
                    mode.to_owned(),
                ),
            )
        })
        .collect::<BTreeMap<_, _>>();
    assert_eq!(compiled.len(), 77);
    assert_eq!(compiled, wanted);
}

#[test]
fn every_message_has_exactly_the_listed_fields() {
    let (mut message_count, mut field_count) = (0, 0);
    for (package, body) in PACKAGES.iter() {
        let mut compiled = messages(package);
        for section in body.split("\n### ").skip(1) {
            let name = section.split_whitespace().next().expect("a message name");
            let message = compiled
                .remove(name)
                .unwrap_or_else(|| panic!("{package}.{name} is not compiled"));
            let wanted = rows(section, "| #")
                .filter(|row| row[0].parse::<u32>().is_ok())
                .map(|row| {
                    let number = row[0].parse::<u32>().expect("a field number");
                    let ty = full_type(&row[2], package);
                    let label = if ty.starts_with("map<") {
                        String::new()
                    } else {
                        row[3].clone()
                    };
                    (number, row[1].clone(), ty, label)
                })
                .collect::<Vec<_>>();
            let fields = message
                .fields()
                .map(|f| {
                    let label = match (f.containing_oneof(), f.cardinality()) {
                        (Some(oneof), _) => format!("oneof {}", oneof.name()),
                        (None, Cardinality::Repeated) if !f.is_map() => "repeated".to_owned(),
                        _ => String::new(),
                    };
                    (f.number(), f.name().to_owned(), compiled_type(&f), label)
                })
                .collect::<Vec<_>>();
            assert_eq!(fields, wanted, "{package}.{name}");
            message_count += 1;
            field_count += fields.len();
        }
        assert!(
            compiled.is_empty(),
            "not in the tables: {:?}",
            compiled.keys()
        );
    }
    assert_eq!((message_count, field_count), (134, 439));
}

#[test]
fn every_enum_has_exactly_the_listed_values() {
    let mut count = 0;
    for (package, body) in PACKAGES.iter() {
        let mut compiled = enums(package);
        for line in body.lines().filter(|line| line.starts_with("**enum `")) {
            count += 1;
            let (name, values) = line["**enum `".len()..]
                .split_once("`**: ")
                .expect("an enum line");
            let found = compiled
                .remove(name)
                .unwrap_or_else(|| panic!("{package}.{name} is not compiled"));
            if name == "ApiResourceKind" {
                continue;
            }
            let wanted = values
                .split(", ")
                .map(|v| {
                    v.split_once("`=")
                        .map(|(n, num)| {
                            (
                                n.trim_start_matches('`').to_owned(),
                                num.parse::<i32>().expect("a number"),
                            )
                        })
                        .expect("a value")
                })
                .collect::<Vec<_>>();
            let values = found
                .values()
                .map(|v| (v.name().to_owned(), v.number()))
                .collect::<Vec<_>>();
            assert_eq!(values, wanted, "{package}.{name}");
        }
        assert!(
            compiled.is_empty(),
            "not in the tables: {:?}",
            compiled.keys()
        );
    }
    assert_eq!(count, 21);
}

#[test]
fn every_resource_kind_has_the_listed_number_name_and_prefix() {
    let section = WIRE
        .split("## API resource kinds")
        .nth(1)
        .and_then(|t| t.split("\n## ").next())
        .expect("the kinds section");
    let mut count = 0;
    for row in rows(section, "| number").filter(|row| row[0].parse::<i32>().is_ok_and(|n| n != 0)) {
        let number = row[0].parse::<i32>().expect("a number");
        let found = kind::meta(ApiResourceKind::try_from(number).expect("a known kind"));
        let seen = [
            &found.storage_name,
            &found.name,
            &found.display_name,
            &found.id_prefix,
        ];
        let wanted = [
            row[1].trim_matches('`'),
            &row[2],
            &row[3],
            row[4].trim_matches('`'),
        ];
        assert_eq!(seen, wanted.map(str::to_owned).each_ref(), "kind {number}");
        count += 1;
    }
    assert_eq!(count, 18);
}

#[test]
fn fields_that_may_hold_an_expression_are_marked() {
    let option = DESCRIPTORS
        .get_extension_by_name("ai.stigmer.commons.apiresource.is_expression")
        .expect("the option is compiled");
    for (package, body) in PACKAGES.iter() {
        for section in body.split("\n### ").skip(1) {
            let name = section.split_whitespace().next().expect("a message name");
            let message = &messages(package)[name];
            for row in rows(section, "| #").filter(|row| row[0].parse::<u32>().is_ok()) {
                let field = message.get_field_by_name(&row[1]).expect("a listed field");
                let marked = field.options().get_extension(&option).as_bool() == Some(true);
                assert_eq!(
                    marked,
                    row[4].contains("[expr]"),
                    "{package}.{name}.{}",
                    row[1]
                );
            }
        }
    }
}

/// The rules themselves are private to the crate, so this asks what they do: a message that
/// breaks nothing but one listed constraint must be refused for exactly that field.
#[test]
fn a_required_field_left_out_is_refused_by_name() {
    use stigmer_api::{commons::ApiResourceId, validate::validate};
    let error = validate(&ApiResourceId::default()).expect_err("`value` is required");
    assert_eq!(
        error.to_string(),
        "validation error: value: value is required"
    );
}
