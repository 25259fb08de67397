//! `cargo xtask archive pack|unpack FILE`: what was built on one machine, for `e2e --no-build` on others.

use std::{collections::BTreeMap, fs, time::Instant};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{ExitCode, Output, count, failure, read_json, size, write_json};
use xshell::{Shell, cmd};

use crate::{
    build::{BUILD_RECORD, Built, Extent, build},
    checkout::Checkout,
    host::cargo,
    plan::absolute,
    projects,
    provision::sha256_of,
    revision::{Revision, describe},
};

/// What an archive says about itself; it is the first file in it.
const CONTENTS: &str = "stigmer-e2e.archive.json";
/// Built with the suite, which starts them, and named in no plan.
const BESIDE: [&str; 2] = ["xtask", "fixture-mcp-server"];
/// Fast: what is packed is read once per machine.
const COMPRESS: &str = "--use-compress-program=gzip -1";

#[derive(Clone, Debug, Subcommand)]
pub enum ArchiveVerb {
    /// Build, and write every program into FILE
    Pack {
        /// A file such as suite.tar.gz
        file: Utf8PathBuf,
    },
    /// Put the programs of FILE where a build would; then `cargo xtask e2e --no-build` uses them
    Unpack {
        /// A file that `pack` wrote, of the same commit and the same folder
        file: Utf8PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Contents {
    /// The programs know each other by their paths below it.
    root: Utf8PathBuf,
    revision: Option<String>,
    /// SHA-256 of each file, by its path in the folder of binaries.
    files: BTreeMap<Utf8PathBuf, String>,
}

#[derive(Serialize)]
struct ArchiveEvent<'a> {
    event: &'static str,
    file: &'a Utf8Path,
    files: usize,
    bytes: u64,
}

/// Packs or unpacks. A file that does not fit ends with [`ExitCode::Usage`], and nothing is replaced.
pub fn run(verb: ArchiveVerb, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    let begin = Instant::now();
    let (what, file, files) = match verb {
        ArchiveVerb::Pack { file } => {
            let file = absolute(&file)?;
            ("archive-packed", file.clone(), pack(checkout, &file)?)
        }
        ArchiveVerb::Unpack { file } => {
            let file = absolute(&file)?;
            ("archive-unpacked", file.clone(), unpack(checkout, &file)?)
        }
    };
    let bytes = fs::metadata(&file)
        .with_context(|| format!("failed to look at {file}"))?
        .len();
    output.object(&ArchiveEvent {
        event: what,
        file: &file,
        files,
        bytes,
    });
    output.line(&format!(
        "  {file}: {}, {} in {:.1} s",
        count(files, "file"),
        size(bytes),
        begin.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::Success)
}

fn pack(checkout: &Checkout, file: &Utf8Path) -> Result<usize> {
    let (built, _) = build(checkout, &cargo()?, Extent::Whole)?;
    let mut files = BTreeMap::new();
    for path in packed(checkout, &built) {
        let name = path.strip_prefix(&checkout.binaries);
        let name = name.with_context(|| format!("{path} is not in {}", checkout.binaries))?;
        files.insert(name.to_owned(), sha256_of(&path)?.to_string());
    }
    let names: Vec<_> = files.keys().map(|name| name.as_str().to_owned()).collect();
    let contents = Contents {
        root: checkout.root.clone(),
        revision: built.revision,
        files,
    };
    write_json(&checkout.binaries.join(CONTENTS), &contents)?;
    let (sh, binaries) = (Shell::new()?, &checkout.binaries);
    cmd!(
        sh,
        "tar {COMPRESS} -cf {file} -C {binaries} {CONTENTS} {names...}"
    )
    .quiet()
    .run()
    .with_context(|| format!("failed to write {file}"))?;
    Ok(contents.files.len())
}

/// The programs, what cargo says of their sources, and the record of the build.
fn packed(checkout: &Checkout, built: &Built) -> Vec<Utf8PathBuf> {
    let beside = BESIDE.map(|name| checkout.binary(name));
    let programs = built
        .binaries(Extent::Whole)
        .into_iter()
        .cloned()
        .chain(beside);
    let with_sources = programs.flat_map(|path| [path.with_extension("d"), path]);
    with_sources
        .chain([checkout.binary(BUILD_RECORD)])
        .filter(|path| path.is_file())
        .collect()
}

fn unpack(checkout: &Checkout, file: &Utf8Path) -> Result<usize> {
    let refuse = |cause: String, fix: &str| failure(ExitCode::Usage, cause, fix);
    let revision = Revision::ask(&checkout.root);
    let aside = checkout.target.join("unpacked");
    // What an interrupted one left.
    let _ = fs::remove_dir_all(&aside);
    fs::create_dir_all(&aside).with_context(|| format!("failed to create {aside}"))?;
    let sh = Shell::new()?;
    // With the time of now: what is unpacked is newer than the sources of the same commit.
    cmd!(sh, "tar {COMPRESS} -xmf {file} -C {aside}")
        .quiet()
        .ignore_stderr()
        .run()
        .map_err(|error| {
            refuse(
                format!("{file} cannot be unpacked: {error}"),
                "pack it again",
            )
        })?;
    let contents: Contents = read_json(&aside.join(CONTENTS)).map_err(|error| {
        let fix = "name a file that `cargo xtask archive pack` wrote";
        refuse(format!("{file} is no archive of a build: {error:#}"), fix)
    })?;
    check(&contents, checkout, revision.answer().as_deref())?;
    for (name, sha256) in &contents.files {
        let found = sha256_of(&aside.join(name))?.to_string();
        if found != *sha256 {
            let cause = format!("{name} in {file} has SHA-256 {found}, not {sha256}");
            return Err(refuse(cause, "pack it again"));
        }
    }
    for name in contents.files.keys() {
        let (from, to) = (aside.join(name), checkout.binaries.join(name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("failed to create {folder}"))?;
        }
        // A rename, because this very program is among them and runs.
        fs::rename(&from, &to).with_context(|| format!("failed to put {to} in place"))?;
    }
    let _ = fs::remove_dir_all(&aside);
    // Tests that apply programs compile them; what they are made of is compiled ahead, as ever.
    projects::build(checkout, &cargo()?)?;
    Ok(contents.files.len())
}

fn check(contents: &Contents, checkout: &Checkout, revision: Option<&str>) -> Result<()> {
    let (cause, fix) = if contents.root != checkout.root {
        (
            format!(
                "it was built in {}, this is {}",
                contents.root, checkout.root
            ),
            "check out to the same folder: the programs know each other by their paths",
        )
    } else if contents.revision.as_deref() != revision {
        let (then, now) = (describe(contents.revision.as_deref()), describe(revision));
        (
            format!("it was built at {then}, the checkout is at {now}"),
            "check that commit out",
        )
    } else {
        return Ok(());
    };
    Err(failure(ExitCode::Usage, cause, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_of_another_folder_or_commit_is_refused() {
        let checkout = |root: &str| Checkout {
            root: root.into(),
            target: "/t".into(),
            binaries: "/t/debug".into(),
            cache: "/c".into(),
        };
        let contents = Contents {
            root: "/a".into(),
            revision: Some("one".to_owned()),
            files: BTreeMap::new(),
        };
        assert!(check(&contents, &checkout("/a"), Some("one")).is_ok());
        for (root, revision) in [("/b", Some("one")), ("/a", Some("two")), ("/a", None)] {
            assert!(
                check(&contents, &checkout(root), revision).is_err(),
                "{root}"
            );
        }
    }
}
