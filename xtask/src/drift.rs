//! Whether every file that names something pinned names the same as `pins.json`.

use std::fs;

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    ask::{Version, ask},
    checkout::Checkout,
    pins::{Nixpkgs, Pins},
};

/// A file and how it differs from the pins.
#[derive(Debug, Serialize)]
pub struct Agreement {
    /// What kind of object this is, for machines.
    event: &'static str,
    /// The file, as people name it.
    pub file: String,
    /// One line for each difference; none if it is in step.
    pub drifted: Vec<String>,
}

/// Compares all of them.
pub fn compare(checkout: &Checkout, pins: &Pins, cargo: &Utf8Path) -> Result<Vec<Agreement>> {
    let text = |file: &str| {
        let path = checkout.root.join(file);
        fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))
    };
    let agreement = |file: &str, drifted| Agreement {
        event: "agreement",
        file: file.to_owned(),
        drifted,
    };
    let mut all = vec![
        agreement("pins.json", wheels(pins)),
        agreement("flake.nix", flake_nix(&text("flake.nix")?, &pins.nixpkgs)),
        agreement(
            "flake.lock",
            flake_lock(&text("flake.lock")?, &pins.nixpkgs),
        ),
        agreement("Cargo.toml", rust(pins.rust)),
    ];
    let mut crates = cargo_lock(&text("Cargo.lock")?);
    crates.extend(manifests(checkout, cargo));
    all.push(agreement("Cargo.lock", crates));
    for name in workflows(checkout)? {
        let file = format!(".github/workflows/{name}");
        all.push(agreement(&file, actions(&text(&file)?, pins)));
    }
    Ok(all)
}

/// A package's file is of the package and of the version that is pinned.
fn wheels(pins: &Pins) -> Vec<String> {
    let mut drifted = Vec::new();
    for (tool, artefact) in pins.artefacts() {
        let begin = format!(
            "{}-{}-",
            artefact.package.replace('-', "_"),
            artefact.version
        );
        let others = artefact
            .platforms
            .iter()
            .filter(|(_, download)| !download.wheel.path.as_str().starts_with(&begin));
        drifted.extend(others.map(|(platform, download)| {
            format!(
                "{tool} on {platform} is {}, not {begin}…",
                download.wheel.path
            )
        }));
    }
    drifted
}

fn flake_nix(
    text: &str,
    Nixpkgs {
        owner, repo, rev, ..
    }: &Nixpkgs,
) -> Vec<String> {
    let wanted = format!("inputs.nixpkgs.url = \"github:{owner}/{repo}/{rev}\";");
    let mut inputs = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("inputs."));
    match (inputs.next(), inputs.next()) {
        (Some(input), None) if input == wanted => Vec::new(),
        (Some(input), None) => vec![format!("has `{input}`, the pin says `{wanted}`")],
        (None, _) => vec![format!("has no input, the pin says `{wanted}`")],
        (Some(_), Some(more)) => vec![format!("has an input that is not pinned: `{more}`")],
    }
}

fn flake_lock(text: &str, nixpkgs: &Nixpkgs) -> Vec<String> {
    let lock: Value = match serde_json::from_str(text) {
        Ok(lock) => lock,
        Err(why) => return vec![format!("is no JSON: {why}")],
    };
    let Nixpkgs {
        owner,
        repo,
        rev,
        last_modified,
        nar_hash,
    } = nixpkgs;
    let wanted = [
        ("locked/owner", json!(owner)),
        ("locked/repo", json!(repo)),
        ("locked/rev", json!(rev)),
        ("locked/lastModified", json!(last_modified)),
        ("locked/narHash", json!(nar_hash)),
        ("locked/type", json!("github")),
        ("original/owner", json!(owner)),
        ("original/repo", json!(repo)),
        ("original/rev", json!(rev)),
    ];
    let mut drifted = Vec::new();
    for (name, wanted) in wanted {
        let found = lock.pointer(&format!("/nodes/nixpkgs/{name}"));
        if found != Some(&wanted) {
            let found = found.unwrap_or(&Value::Null);
            drifted.push(format!("has nixpkgs {name} {found}, the pin says {wanted}"));
        }
    }
    let nodes = lock["nodes"].as_object().into_iter().flatten();
    let others = nodes.filter(|(name, _)| !["root", "nixpkgs"].contains(&name.as_str()));
    drifted.extend(others.map(|(name, _)| format!("locks `{name}`, which is not pinned")));
    drifted
}

/// The manifest's oldest Rust is no newer than the one that is tested with.
fn rust(pinned: Version) -> Vec<String> {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    match oldest.parse::<Version>() {
        Ok(oldest) if oldest <= pinned => Vec::new(),
        _ => vec![format!("asks for Rust {oldest}, the pin says {pinned}")],
    }
}

/// Every crate that is not of this workspace comes from a registry and has a hash.
fn cargo_lock(text: &str) -> Vec<String> {
    let packages = text.split("[[package]]").skip(1);
    let field = |package: &str, name: &str| {
        let start = format!("{name} = ");
        let line = package.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    packages
        .filter_map(|package| {
            let source = field(package, "source")?;
            let name = field(package, "name").unwrap_or_default();
            if !source.starts_with("registry+") {
                return Some(format!("{name} comes from {source}, not from a registry"));
            }
            let hashed = field(package, "checksum").is_some_and(|hash| hash.len() == 64);
            (!hashed).then(|| format!("{name} has no SHA-256"))
        })
        .collect()
}

/// The lock file locks what the manifests ask for.
fn manifests(checkout: &Checkout, cargo: &Utf8Path) -> Option<String> {
    let manifest = checkout.root.join("Cargo.toml");
    // Of this platform only, whose packages the build has: nothing is fetched for the question.
    let question = ["metadata", "--locked", "--offline", "--format-version=1"];
    let question = question
        .into_iter()
        .chain(["--filter-platform", "host-tuple"])
        .chain(["--manifest-path", manifest.as_str()]);
    ask(cargo.as_str(), question)
        .err()
        .map(|why| format!("does not lock what the manifests ask for: cargo metadata {why}"))
}

fn workflows(checkout: &Checkout) -> Result<Vec<String>> {
    let folder = checkout.root.join(".github/workflows");
    let entries = folder
        .read_dir_utf8()
        .with_context(|| format!("failed to read {folder}"))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_owned()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Every action of a workflow is one of the pinned ones, by its commit.
fn actions(workflow: &str, pins: &Pins) -> Vec<String> {
    let used = workflow.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ");
        line.strip_prefix("uses:").map(str::trim)
    });
    used.filter_map(|used| {
        let (action, version) = used.split_once(" # ").unwrap_or((used, ""));
        let name = action.split('@').next().unwrap_or_default();
        let Some(pin) = pins.actions.get(name) else {
            return Some(format!("uses `{action}`, which is not pinned"));
        };
        let wanted = format!("{name}@{}", pin.revision);
        let same = action == wanted && version == pin.version;
        (!same).then(|| format!("uses `{used}`, the pin says `{wanted} # {}`", pin.version))
    })
    .collect()
}

#[cfg(test)]
mod tests;
