//! `fixtures/manifest.json`: what the projects define, and what the broken ones are refused with.

use camino::{Utf8Path, Utf8PathBuf};
use fixture_manifest::{BrokenProject, Fixture};
use stigmer_e2e_plan::read_json;

use super::Test;

/// The manifest does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read, or is none.
    #[error("{0}")]
    Unreadable(String),
    /// It has nothing of that name.
    #[error("{path} has no {what}; add it there, next to the project")]
    Missing {
        /// The manifest.
        path: Utf8PathBuf,
        /// What was looked for.
        what: String,
    },
}

/// The manifest of a checkout.
#[derive(Clone, Debug)]
pub struct Manifest {
    path: Utf8PathBuf,
    content: fixture_manifest::Manifest,
}

impl Manifest {
    /// The manifest of the checkout that `test` runs in.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is none.
    pub fn load(test: &Test) -> Result<Self, ManifestError> {
        Self::of(&test.session().root)
    }

    /// The manifest of the checkout at `root`.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is none.
    pub fn of(root: &Utf8Path) -> Result<Self, ManifestError> {
        let path = root.join("fixtures/manifest.json");
        let content =
            read_json(&path).map_err(|error| ManifestError::Unreadable(format!("{error:#}")))?;
        Ok(Self { path, content })
    }

    /// The fixture with the number `id` of the contract, or the one for the kind of task `id`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn fixture(&self, id: &str) -> Result<&Fixture, ManifestError> {
        let found = self.content.projects().find(|fixture| fixture.id == id);
        found.ok_or_else(|| self.missing(format!("fixture {id}")))
    }

    /// Every fixture, the numbered ones first.
    pub fn fixtures(&self) -> impl Iterator<Item = &Fixture> {
        self.content.projects()
    }

    /// The broken projects of a scenario, at least one.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn broken_in(&self, scenario: &str) -> Result<Vec<&BrokenProject>, ManifestError> {
        let of_scenario = self
            .content
            .broken
            .iter()
            .filter(|b| b.scenario == scenario);
        let found = of_scenario.collect::<Vec<_>>();
        if found.is_empty() {
            return Err(self.missing(format!("broken project of {scenario}")));
        }
        Ok(found)
    }

    fn missing(&self, what: String) -> ManifestError {
        ManifestError::Missing {
            path: self.path.clone(),
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn checkout() -> &'static Utf8Path {
        let package = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
        package.parent().expect("the package is in the workspace")
    }

    /// The folders below `directory` that hold a `Stigmer.yaml`.
    fn projects(directory: &Utf8Path) -> BTreeSet<String> {
        let entries = directory.read_dir_utf8().expect("a folder of the checkout");
        entries
            .map(|entry| entry.expect("a readable entry"))
            .filter(|entry| entry.path().join("Stigmer.yaml").exists())
            .map(|entry| entry.file_name().to_owned())
            .collect()
    }

    #[test]
    fn the_manifest_lists_every_project_that_there_is() {
        let manifest = Manifest::of(checkout()).unwrap();
        let listed = manifest.fixtures().map(|f| f.project().to_owned());
        let folder = checkout().join("fixtures/projects");
        let mut there = projects(&folder);
        let kinds = projects(&folder.join("kinds"));
        there.extend(kinds.iter().map(|name| format!("kinds/{name}")));
        assert_eq!(listed.collect::<BTreeSet<_>>(), there);
        let listed = manifest.content.broken.iter().map(|b| b.case.clone());
        assert_eq!(
            listed.collect::<BTreeSet<_>>(),
            projects(&checkout().join("fixtures/projects/broken"))
        );
    }

    #[test]
    fn every_broken_project_says_something() {
        let manifest = Manifest::of(checkout()).unwrap();
        for broken in &manifest.content.broken {
            let empty = broken.says.iter().any(|text| text.trim().is_empty());
            assert!(!broken.says.is_empty() && !empty, "{broken:?}");
        }
    }

    #[test]
    fn what_is_not_in_the_manifest_is_named_with_the_file() {
        let manifest = Manifest::of(checkout()).unwrap();
        let error = manifest.fixture("99").unwrap_err().to_string();
        assert!(
            error.contains("fixtures/manifest.json has no fixture 99"),
            "{error}"
        );
        let error = manifest.broken_in("ERR-99").unwrap_err().to_string();
        assert!(error.contains("no broken project of ERR-99"), "{error}");
    }
}
