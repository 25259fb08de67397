//! What package registries have, asked by the ordinary clients with the user's own configuration.

use std::{fs, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    ask::{ask_within, last_line},
    host::Python,
};

/// A question to an index.
const ASKED: Duration = Duration::from_secs(120);
/// The largest package on a slow line.
const FETCHED: Duration = Duration::from_secs(900);

/// The newest version of a Python package.
pub fn newest(python: &Python, package: &str) -> Result<String> {
    let question = ["-m", "pip", "index", "versions", package];
    let printed = ask_within(ASKED, python.path.as_str(), question);
    let printed = printed.map_err(|why| anyhow!("pip {why}"))?;
    let found = printed.lines().find_map(|line| {
        let version = line.strip_prefix(package)?.trim().strip_prefix('(')?;
        version.strip_suffix(')')
    });
    let found = found.with_context(|| format!("pip says `{}`", last_line(&printed)))?;
    Ok(found.to_owned())
}

/// Downloads a package for `platform` into the new `folder`; returns its file.
pub fn download(
    python: &Python,
    package: &str,
    version: &str,
    platform: &str,
    folder: &Utf8Path,
) -> Result<Utf8PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {folder}"))?;
    let requirement = format!("{package}=={version}");
    let mut question: Vec<String> = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--python-version=3.12",
        "--implementation=cp",
        "--abi=cp312",
        "--abi=abi3",
        "--abi=none",
    ]
    .map(str::to_owned)
    .into();
    question.extend(tags(platform)?.map(|tag| format!("--platform={tag}")));
    question.extend(["--dest".to_owned(), folder.to_string(), requirement]);
    ask_within(FETCHED, python.path.as_str(), question)
        .map_err(|why| anyhow!("pip {why}"))
        .with_context(|| format!("{package} {version} for {platform} cannot be fetched"))?;
    let mut files = folder.read_dir_utf8()?;
    match (files.next().transpose()?, files.next()) {
        (Some(file), None) => Ok(file.into_path()),
        _ => bail!("pip brought not one file of {package} {version}"),
    }
}

/// The tags under which packages for a platform are published, the oldest systems first.
fn tags(platform: &str) -> Result<impl Iterator<Item = String>> {
    let (machine, system) = platform
        .rsplit_once('-')
        .with_context(|| format!("`{platform}` is no platform"))?;
    let tags: Vec<String> = match system {
        "linux" => {
            let versions = (17..=39).map(|minor| format!("manylinux_2_{minor}_{machine}"));
            let first = [format!("manylinux2014_{machine}")];
            first.into_iter().chain(versions).collect()
        }
        "darwin" => {
            let machine = if machine == "aarch64" {
                "arm64"
            } else {
                machine
            };
            let old = (9..=16).map(|minor| format!("macosx_10_{minor}"));
            let new = (11..=26).map(|major| format!("macosx_{major}_0"));
            let of = |version: String| {
                ["universal2", machine].map(|machine| format!("{version}_{machine}"))
            };
            old.chain(new).flat_map(of).collect()
        }
        other => bail!("packages for {other} are not pinned"),
    };
    Ok(tags.into_iter())
}

/// How many crates of a lock file have newer versions that fit the manifests.
pub fn newer_crates(cargo: &Utf8Path, root: &Utf8Path) -> Result<usize> {
    let manifest = root.join("Cargo.toml");
    let question = ["update", "--dry-run", "--manifest-path", manifest.as_str()];
    let printed = ask_within(ASKED, cargo.as_str(), question);
    let printed = printed.map_err(|why| anyhow!("cargo {why}"))?;
    let is_newer =
        |line: &&str| line.trim_start().starts_with("Updating ") && line.contains(" -> ");
    Ok(printed.lines().filter(is_newer).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pinned_platform_has_tags_and_others_are_refused() {
        let of = |platform: &str| tags(platform).map(Iterator::collect::<Vec<_>>);
        let linux = of("x86_64-linux").expect("known");
        assert_eq!(linux[0], "manylinux2014_x86_64");
        assert!(linux.contains(&"manylinux_2_28_x86_64".to_owned()));
        let mac = of("aarch64-darwin").expect("known");
        assert!(mac.contains(&"macosx_11_0_arm64".to_owned()), "{mac:?}");
        assert!(of("x86_64-windows").is_err() && of("linux").is_err());
    }
}
