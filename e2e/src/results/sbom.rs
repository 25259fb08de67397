//! `sbom.cdx.json`: what the run consisted of, in CycloneDX 1.6: the programs with their hashes, the
//! pinned tools and where they came from, and the crates of `Cargo.lock` with what they depend on.

mod cargo_lock;

use serde_json::{Value, json};
use stigmer_e2e_plan::Pin;

use self::cargo_lock::Crate;
use super::Provenance;

/// The name of the whole, to which everything else belongs.
const WHOLE: &str = "stigmer-e2e";

/// The bill of materials of a run that started at `time` (RFC 3339); `lock` is the text of `Cargo.lock`.
pub fn sbom(time: &str, provenance: &Provenance, pins: &[Pin], lock: &str) -> Value {
    let crates = cargo_lock::crates(lock);
    let components = programs(provenance)
        .chain(pins.iter().map(tool))
        .chain(crates.iter().map(package))
        .collect::<Vec<_>>();
    let all = components.iter().map(|component| &component["bom-ref"]);
    let mut dependencies = vec![json!({"ref": WHOLE, "dependsOn": all.collect::<Vec<_>>()})];
    dependencies.extend(crates.iter().map(|it| {
        let needed = it.dependencies.iter().map(Crate::purl);
        json!({"ref": it.purl(), "dependsOn": needed.collect::<Vec<_>>()})
    }));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "lifecycles": [{"phase": "post-build"}],
            "component": whole(provenance),
        },
        "components": components,
        "dependencies": dependencies,
    })
}

fn whole(provenance: &Provenance) -> Value {
    let mut whole = json!({
        "type": "application",
        "bom-ref": WHOLE,
        "name": WHOLE,
        "version": env!("CARGO_PKG_VERSION"),
        "licenses": [{"expression": env!("CARGO_PKG_LICENSE")}],
    });
    if let Some(git) = &provenance.git {
        whole["properties"] = json!([
            property("git-revision", &git.revision),
            property("git-dirty", &git.dirty.to_string()),
        ]);
    }
    whole
}

/// The programs of this repository; pinned ones are told about by their pins.
fn programs(provenance: &Provenance) -> impl Iterator<Item = Value> {
    const OF_OTHERS: [&str; 4] = ["temporal", "nextest", "cargo", "python"];
    let own = |name: &str| !OF_OTHERS.contains(&name);
    provenance
        .binaries
        .iter()
        .filter(move |binary| own(&binary.name))
        .map(|binary| {
            let mut component = json!({
                "type": "application",
                "bom-ref": format!("program:{}", binary.name),
                "name": binary.name,
                "hashes": [sha256(&binary.sha256)],
            });
            if let Some(version) = &binary.version {
                component["version"] = json!(version);
            }
            component
        })
}

fn tool(pin: &Pin) -> Value {
    let kind = match pin.name.as_str() {
        "model" => "machine-learning-model",
        _ => "application",
    };
    let mut properties = vec![property("found", &pin.source)];
    let mut component = json!({
        "type": kind,
        "bom-ref": format!("tool:{}", pin.name),
        "name": pin.name,
        "version": pin.version,
        "hashes": [sha256(&pin.sha256)],
    });
    if let Some(package) = &pin.package {
        component["purl"] = json!(format!("pkg:pypi/{}@{}", package.name, package.version));
        component["licenses"] = json!([{"expression": package.license}]);
        properties.push(property("package-sha256", &package.sha256));
    }
    component["properties"] = json!(properties);
    component
}

fn package(it: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": it.purl(),
        "name": it.name,
        "version": it.version,
        "purl": it.purl(),
    });
    if let Some(checksum) = &it.sha256 {
        component["hashes"] = json!([sha256(checksum)]);
    }
    component
}

fn sha256(hex: &str) -> Value {
    json!({"alg": "SHA-256", "content": hex})
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": format!("stigmer-e2e:{name}"), "value": value})
}

#[cfg(test)]
mod tests;
