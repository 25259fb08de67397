//! What the projects that tests apply are made of, compiled ahead: a test that applies one then
//! compiles its own few lines at most, and needs no network.

use std::{
    collections::HashSet,
    fs, io,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xshell::{Shell, cmd};

use crate::{
    cargo::{JSON, run_cargo_aside},
    checkout::Checkout,
};

/// Projects that were compiled so long ago belong to no run that still goes on: a suite has a
/// quarter of an hour.
const OLD: Duration = Duration::from_secs(3600);

/// Compiles the fixtures, and the SDK as a project outside the workspace sees it, into the target
/// directory of projects, and sweeps out what tests of earlier runs left there. Returns how many
/// targets there were to compile.
pub fn build(checkout: &Checkout, cargo: &Utf8Path) -> Result<usize> {
    let sh = Shell::new()?;
    sh.change_dir(&checkout.root);
    let target = checkout.project_target();
    let packages = packages(&sh, checkout, cargo)?;
    // Nothing but the projects: another package among them would turn on features of their common
    // dependencies that a project by itself, as a test builds it, does not have.
    let selected = packages.iter().flat_map(|name| ["--package", name]);
    let fixtures = cmd!(sh, "{cargo} build --locked {selected...} --bins {JSON}");
    let fixtures = run_cargo_aside(fixtures.env("CARGO_TARGET_DIR", &target))?;

    let outside = outside_project(checkout, &target)
        .with_context(|| format!("failed to write a project into {target}"))?;
    let sdk = cmd!(
        sh,
        "{cargo} build --manifest-path {outside} --package stigmer {JSON}"
    );
    let sdk = run_cargo_aside(sdk.env("CARGO_TARGET_DIR", &target))?;

    let compiled = fixtures.compiled + sdk.compiled;
    let known = fixtures.names.into_iter().chain(sdk.names).collect();
    // Only space is lost if this fails, and the next run tries again.
    let _ = sweep(&target, &known, SystemTime::now() - OLD);
    Ok(compiled)
}

/// The packages in `fixtures/projects`.
fn packages(sh: &Shell, checkout: &Checkout, cargo: &Utf8Path) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: Utf8PathBuf,
    }
    let folder = checkout.root.join("fixtures/projects");
    let text = cmd!(sh, "{cargo} metadata --locked --no-deps --format-version=1").quiet();
    let metadata: Metadata = serde_json::from_str(&text.read()?)
        .context("cargo metadata printed something else than JSON")?;
    let packages = metadata.packages.into_iter();
    Ok(packages
        .filter(|package| package.manifest_path.starts_with(&folder))
        .map(|package| package.name)
        .collect())
}

/// A project like those that tests write, with nothing of its own: its manifest is a template's,
/// and all templates depend on the SDK alone.
fn outside_project(checkout: &Checkout, target: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let templates = checkout.root.join("fixtures/templates");
    let mut manifests: Vec<Utf8PathBuf> = templates
        .read_dir_utf8()?
        .map(|template| Ok(template?.path().join("Cargo.toml")))
        .collect::<io::Result<_>>()?;
    manifests.sort();
    let manifest = manifests
        .first()
        .ok_or_else(|| io::Error::other("there are no templates"))?;
    let folder = target.join("outside");
    fs::create_dir_all(folder.join("src"))?;
    let text = fs::read_to_string(manifest)?.replace("../../..", checkout.root.as_str());
    fs::write(folder.join("Cargo.toml"), text)?;
    fs::write(folder.join("src/lib.rs"), "")?;
    fs::copy(checkout.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder.join("Cargo.toml"))
}

/// Removes what was compiled before `before` from targets that are not `known`. Each run of a test
/// compiles its project under a new path, so that cargo never uses or replaces the earlier ones.
fn sweep(target: &Utf8Path, known: &HashSet<String>, before: SystemTime) -> io::Result<()> {
    let known: HashSet<String> = known.iter().map(|name| name.replace('-', "_")).collect();
    for folder in ["", "deps", "incremental", ".fingerprint"] {
        let folder = target.join("debug").join(folder);
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            let name = entry.file_name();
            let of_cargo = name.starts_with('.') || KEPT.contains(&name);
            let old = entry.metadata()?.modified()? < before;
            if of_cargo || !old || target_names(name).any(|name| known.contains(&name)) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Cargo's own folders beside executables.
const KEPT: [&str; 4] = ["build", "deps", "examples", "incremental"];

/// The targets that a file of the target directory may belong to: it may begin with `lib`, and
/// may end with a hash and an extension.
fn target_names(file: &str) -> impl Iterator<Item = String> {
    let stem = file.split('.').next().unwrap_or(file);
    let without_hash = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    let names = [stem, without_hash].map(|name| name.replace('-', "_"));
    names.into_iter().flat_map(|name| {
        let library = name.strip_prefix("lib").map(str::to_owned);
        [Some(name), library].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_files_of_unknown_targets_are_swept_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let swept = [
            "app_01_x_agents",
            "app_01_x_agents.d",
            "deps/app_01_x_agents-0123456789abcdef",
            "incremental/app_01_x_agents-1abc/x",
            ".fingerprint/app-01-x-agents-0123456789abcdef/x",
        ];
        let kept = [
            ".cargo-lock",
            "fixture-01-basic-agent",
            "deps/libprost_types-0123456789abcdef.rlib",
            "deps/prost_types-0123456789abcdef.d",
            ".fingerprint/prost-types-0123456789abcdef/x",
            "build/anything-0123456789abcdef/x",
        ];
        for file in swept.iter().chain(&kept) {
            let file = target.join("debug").join(file);
            fs::create_dir_all(file.parent().expect("a parent")).expect("writable");
            fs::write(file, "x").expect("writable");
        }
        let known = HashSet::from(["prost_types", "fixture-01-basic-agent"].map(str::to_owned));

        sweep(target, &known, SystemTime::now() - OLD).expect("readable");
        assert!(
            swept
                .iter()
                .all(|file| target.join("debug").join(file).exists()),
            "too young"
        );

        sweep(target, &known, SystemTime::now() + OLD).expect("readable");
        let left = |files: &[&str]| {
            files
                .iter()
                .filter(|file| target.join("debug").join(file).exists())
                .count()
        };
        assert_eq!((left(&swept), left(&kept)), (0, kept.len()));
    }
}
