//! Programs in Rust: finding the binary target that the entry belongs to, and building it.

use std::{env, ffi::OsString, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tokio::process::Command;

use super::process;

/// Why there is no executable.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error("failed to start {cargo}, which the runtime 'rust' needs on the PATH")]
    Start { cargo: String, source: io::Error },
    #[error("no Cargo.toml at or above {0}; the runtime 'rust' needs a Cargo package")]
    NoManifest(Utf8PathBuf),
    #[error("failed to read {manifest}:\n{reason}")]
    Metadata {
        manifest: Utf8PathBuf,
        reason: String,
    },
    #[error(
        "{entry} is not the source of a binary target of {manifest}; the binary targets there are: {known}"
    )]
    NoTarget {
        entry: Utf8PathBuf,
        manifest: Utf8PathBuf,
        known: String,
    },
    #[error("failed to build {entry}:\n{output}")]
    Build { entry: Utf8PathBuf, output: String },
    #[error("cargo built {bin} of {package}, but named no executable")]
    NoExecutable { package: String, bin: String },
}

/// How much of the compiler's output is shown, in bytes.
const SHOWN: usize = 64 * 1024;

/// Builds the binary whose source is `entry`, an absolute path without symbolic links, and returns
/// the executable.
pub async fn build(entry: &Utf8Path) -> Result<Utf8PathBuf, CargoError> {
    let manifest = entry
        .ancestors()
        .skip(1)
        .map(|dir| dir.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
        .ok_or_else(|| CargoError::NoManifest(entry.parent().unwrap_or(entry).to_owned()))?;
    let target = find_target(entry, &manifest).await?;
    let mut command = cargo("build");
    command
        .args(["--quiet", "--message-format=json-render-diagnostics"])
        .args(["--manifest-path", target.manifest.as_str()])
        .args(["--package", &target.package, "--bin", &target.bin]);
    let finished = run(command).await?;
    if !finished.succeeded() {
        let is_error = |line: &str| line.starts_with("error");
        let output = process::excerpt(&finished.stderr, SHOWN, is_error);
        return Err(CargoError::Build {
            entry: entry.to_owned(),
            output,
        });
    }
    tracing::debug!(output = finished.stderr, "built");
    executable(&finished.stdout, entry).ok_or(CargoError::NoExecutable {
        package: target.package,
        bin: target.bin,
    })
}

async fn find_target(entry: &Utf8Path, manifest: &Utf8Path) -> Result<Target, CargoError> {
    let mut command = cargo("metadata");
    command.args([
        "--no-deps",
        "--format-version=1",
        "--manifest-path",
        manifest.as_str(),
    ]);
    let finished = run(command).await?;
    let fail = |reason: String| CargoError::Metadata {
        manifest: manifest.to_owned(),
        reason,
    };
    if !finished.succeeded() {
        return Err(fail(process::excerpt(&finished.stderr, SHOWN, |line| {
            line.starts_with("error")
        })));
    }
    let metadata =
        serde_json::from_str::<Metadata>(&finished.stdout).map_err(|e| fail(e.to_string()))?;
    select(metadata, entry).map_err(|known| CargoError::NoTarget {
        entry: entry.to_owned(),
        manifest: manifest.to_owned(),
        known: if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        },
    })
}

/// A binary target.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    manifest: Utf8PathBuf,
    package: String,
    bin: String,
}

/// The part of `cargo metadata` that matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: Utf8PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    kind: Vec<String>,
    src_path: Utf8PathBuf,
}

impl MetadataTarget {
    fn is_bin(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }

    fn has_source(&self, entry: &Utf8Path) -> bool {
        self.src_path == entry
            || self
                .src_path
                .canonicalize_utf8()
                .is_ok_and(|source| source == entry)
    }
}

/// The binary target whose source is `entry`, or the sources of the binary targets there are.
fn select(metadata: Metadata, entry: &Utf8Path) -> Result<Target, Vec<String>> {
    let mut known = Vec::new();
    for package in metadata.packages {
        for target in package.targets.into_iter().filter(MetadataTarget::is_bin) {
            if target.has_source(entry) {
                return Ok(Target {
                    manifest: package.manifest_path,
                    package: package.name,
                    bin: target.name,
                });
            }
            known.push(target.src_path.into_string());
        }
    }
    Err(known)
}

/// One line of `cargo build --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<MetadataTarget>,
    executable: Option<Utf8PathBuf>,
}

/// The executable that was made from `entry`, according to the messages of cargo.
fn executable(messages: &str, entry: &Utf8Path) -> Option<Utf8PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| {
            message
                .target
                .as_ref()
                .is_some_and(|t| t.is_bin() && t.has_source(entry))
        })
        .find_map(|message| message.executable)
}

/// The cargo that started this process, if one did, else the one on the PATH.
fn cargo(verb: &str) -> Command {
    let program = env::var_os("CARGO")
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(["--color", "never", verb]);
    command
}

async fn run(command: Command) -> Result<process::Finished, CargoError> {
    let cargo = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    process::run(command, None)
        .await
        .map_err(|source| CargoError::Start { cargo, source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Metadata {
        serde_json::from_value(json!({"packages": [
            {"name": "other", "manifest_path": "/p/other/Cargo.toml", "targets": [
                {"name": "other", "kind": ["lib"], "src_path": "/p/other/src/lib.rs"},
                {"name": "demo", "kind": ["example"], "src_path": "/p/other/examples/demo.rs"},
            ]},
            {"name": "agents", "manifest_path": "/p/agents/Cargo.toml", "targets": [
                {"name": "agents", "kind": ["bin"], "src_path": "/p/agents/src/main.rs"},
                {"name": "extra", "kind": ["bin"], "src_path": "/p/agents/src/bin/extra.rs"},
            ]},
        ]}))
        .unwrap()
    }

    #[test]
    fn the_target_is_the_binary_with_that_source() {
        let target = select(metadata(), "/p/agents/src/bin/extra.rs".into()).unwrap();
        assert_eq!(
            target,
            Target {
                manifest: "/p/agents/Cargo.toml".into(),
                package: "agents".into(),
                bin: "extra".into()
            }
        );
    }

    #[test]
    fn libraries_examples_and_modules_are_no_entries() {
        for entry in [
            "/p/other/src/lib.rs",
            "/p/other/examples/demo.rs",
            "/p/agents/src/module.rs",
        ] {
            let known = select(metadata(), entry.into()).unwrap_err();
            assert_eq!(
                known,
                ["/p/agents/src/main.rs", "/p/agents/src/bin/extra.rs"],
                "{entry}"
            );
        }
    }

    #[test]
    fn the_executable_is_the_one_made_from_the_entry() {
        let artifact = |src: &str, executable: Option<&str>| {
            json!({"reason": "compiler-artifact", "executable": executable,
                   "target": {"name": "x", "kind": ["bin"], "src_path": src}})
            .to_string()
        };
        let messages = [
            artifact("/p/dep/src/main.rs", Some("/t/dep")),
            "not JSON".to_owned(),
            artifact("/p/agents/src/main.rs", Some("/t/agents")),
            json!({"reason": "build-finished", "success": true}).to_string(),
        ]
        .join("\n");
        assert_eq!(
            executable(&messages, "/p/agents/src/main.rs".into()),
            Some("/t/agents".into())
        );
        assert_eq!(executable(&messages, "/p/nope.rs".into()), None);
    }

    #[tokio::test]
    async fn an_entry_outside_any_package_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let entry = Utf8PathBuf::try_from(dir.path().join("main.rs")).unwrap();
        let error = build(&entry).await.unwrap_err().to_string();
        assert!(
            error.starts_with("no Cargo.toml at or above")
                && error.contains(entry.parent().unwrap().as_str())
        );
    }
}
