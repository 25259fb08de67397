//! Where a new project gets the SDK from.
//!
//! The SDK is in no package registry. This program carries its source, and puts it into every
//! project: what is then needed to build the project is in the project, whoever checks it out.

use std::fs;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

/// Where the copy goes, below the project.
const VENDOR: &str = "vendor/stigmer";

mod packed {
    include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
}

/// The SDK of a project.
#[derive(Debug)]
pub enum Sdk {
    /// A copy of it in the project.
    Copy,
    /// A directory somewhere else, with the lock file of the workspace that it is in.
    Directory { path: Utf8PathBuf, lock: String },
}

impl Sdk {
    /// The SDK in the directory `given`, or else a copy.
    pub fn of(given: Option<&Utf8Path>) -> Result<Self> {
        let Some(given) = given else {
            return Ok(Self::Copy);
        };
        let path = given
            .canonicalize_utf8()
            .with_context(|| format!("cannot read the directory {given}"))?;
        let manifest = path.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("{given} is not the SDK: cannot read {manifest}"))?;
        let package = text.lines().find(|line| line.starts_with("name"));
        if package.is_none_or(|line| line.replace(' ', "") != "name=\"stigmer\"") {
            bail!("{given} is not the SDK: {manifest} is of another package");
        }
        let lock = path
            .ancestors()
            .find_map(|dir| fs::read_to_string(dir.join("Cargo.lock")).ok());
        Ok(Self::Directory {
            path,
            lock: lock.unwrap_or_else(|| packed::LOCK.to_owned()),
        })
    }

    /// The path that the project's manifest names.
    pub fn path(&self) -> &str {
        match self {
            Self::Copy => concat!("vendor/stigmer", "/sdk"),
            Self::Directory { path, .. } => path.as_str(),
        }
    }

    /// Versions of what the SDK needs that are known to work together.
    pub fn lock(&self) -> &str {
        match self {
            Self::Copy => packed::LOCK,
            Self::Directory { lock, .. } => lock,
        }
    }

    /// The files of the copy, by their names in the project.
    pub fn files(&self) -> Vec<(String, String)> {
        match self {
            Self::Directory { .. } => Vec::new(),
            Self::Copy => packed::FILES
                .iter()
                .map(|(name, text)| (format!("{VENDOR}/{name}"), (*text).to_owned()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_sdk_is_a_workspace_of_its_own() {
        let files = Sdk::Copy.files();
        let text = |name: &str| {
            let name = format!("{VENDOR}/{name}");
            let found = files.iter().find(|(other, _)| *other == name);
            &found.unwrap_or_else(|| panic!("{name} is missing")).1
        };
        let root = text("Cargo.toml");
        assert!(root.contains("members = [\"sdk\", \"api\"]"), "{root}");
        assert!(root.contains("stigmer-api = { path = \"api\" }"), "{root}");
        assert!(!root.contains("rusqlite"), "{root}");
        text("sdk/src/lib.rs");
        text("api/build.rs");
        text("api/proto/ai/stigmer/agentic/agent/v1/agent.proto");
        assert!(files.iter().all(|(name, _)| !name.contains("..")));
    }

    #[test]
    fn another_package_is_not_the_sdk() {
        let given = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
        let error = Sdk::of(Some(given)).err().map(|error| error.to_string());
        assert!(
            error
                .as_deref()
                .is_some_and(|text| text.contains("is of another package")),
            "{error:?}"
        );
        let sdk = Sdk::of(Some(&given.join("../sdk"))).unwrap();
        assert!(sdk.lock().contains("name = \"prost\"") && sdk.files().is_empty());
    }
}
