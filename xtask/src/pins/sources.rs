//! What is pinned besides tools.

use serde::Deserialize;

/// A revision of nixpkgs, named as in `flake.lock`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Nixpkgs {
    /// Whose repository.
    pub owner: String,
    /// Its name.
    pub repo: String,
    /// The commit.
    pub rev: String,
    /// Seconds from 1970 to the commit.
    pub last_modified: u64,
    /// The hash of its files.
    pub nar_hash: String,
}

/// A pinned action of CI.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Its version, for people.
    pub version: String,
    /// The commit.
    pub revision: String,
}
