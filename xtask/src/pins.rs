//! `pins.json`: the list of everything that comes from outside. Nix reads the same file.

mod sources;
mod tool;

use std::{collections::BTreeMap, fmt, fs};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use stigmer_e2e_plan::{ExitCode, failure};

pub use self::{
    sources::{Action, Nixpkgs},
    tool::Tool,
};
use crate::ask::Version;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The Rust that is tested with.
    #[serde(deserialize_with = "version")]
    pub rust: Version,
    /// What the flake is made from.
    pub nixpkgs: Nixpkgs,
    /// The actions of CI by their names.
    pub actions: BTreeMap<String, Action>,
    artefacts: BTreeMap<Tool, Artefact>,
}

/// One artefact.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// For people.
    pub what: String,
    /// Which tests cannot run without it, for people.
    pub needed_for: String,
    /// SPDX expression.
    pub license: String,
    /// The Python package that carries it.
    pub package: String,
    /// Version of the package, and of the artefact.
    pub version: String,
    /// The environment variable in which Nix hands over a path.
    pub variable: String,
    /// How it is proven to work.
    pub check: Check,
    /// A copy of the user's own that will do as well.
    #[serde(default)]
    pub on_path: Option<OnPath>,
    /// What to fetch, by platform, such as `x86_64-linux`.
    pub platforms: BTreeMap<String, Download>,
}

/// How an artefact is proven to work.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Check {
    /// It runs with these arguments and prints a text that holds `prints`.
    Program {
        arguments: Vec<String>,
        prints: String,
    },
    /// Python imports it, and its `__version__` is `prints`.
    PythonModule { module: String, prints: String },
    /// It is an archive of which Python runs the folder `entry` as a program, with these arguments,
    /// and prints a text that holds `prints`.
    PythonArchive {
        entry: String,
        arguments: Vec<String>,
        prints: String,
    },
    /// It is a file that begins with these characters.
    File { begins_with: String },
}

impl Check {
    /// The text that it has to print, which holds its version; nothing for a plain file.
    pub fn prints(&self) -> Option<&str> {
        match self {
            Self::Program { prints, .. }
            | Self::PythonModule { prints, .. }
            | Self::PythonArchive { prints, .. } => Some(prints),
            Self::File { .. } => None,
        }
    }
}

/// A program on `PATH` that may stand in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnPath {
    /// Its name.
    pub program: String,
    /// The oldest version that will do; newer ones with the same first two numbers are fine.
    #[serde(deserialize_with = "version")]
    pub at_least: Version,
}

/// What to fetch for one platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "WrittenDownload")]
pub struct Download {
    /// The package's file.
    pub wheel: PinnedFile,
    /// The file inside that is used; the package itself if it is used as it is.
    pub member: PinnedFile,
}

impl Download {
    /// Whether the package is used as it is.
    pub fn is_whole(&self) -> bool {
        self.member == self.wheel
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDownload {
    wheel: PinnedFile,
    member: Option<PinnedFile>,
}

impl From<WrittenDownload> for Download {
    fn from(WrittenDownload { wheel, member }: WrittenDownload) -> Self {
        Self {
            member: member.unwrap_or_else(|| wheel.clone()),
            wheel,
        }
    }
}

/// A file of known content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Its name; for a member, its path inside the package.
    pub path: Utf8PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Sha256Hex,
}

/// A SHA-256 in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sha256Hex(String);

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<[u8; 32]> for Sha256Hex {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<'de> Deserialize<'de> for Sha256Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format!(
                "`{text}` is not a SHA-256 in 64 lower-case hex digits"
            )))
        }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// An artefact as it is pinned for one platform.
#[derive(Clone, Copy, Debug)]
pub struct Pin<'a> {
    /// Which one.
    pub tool: Tool,
    /// What holds on every platform.
    pub artefact: &'a Artefact,
    /// What to fetch here.
    pub download: &'a Download,
    /// Here.
    pub platform: &'a str,
}

impl Pins {
    /// Reads `pins.json` of the checkout `root`.
    pub fn read(root: &Utf8Path) -> Result<Self> {
        let path = root.join("pins.json");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
        Self::parse(&text).map_err(|e| {
            failure(
                ExitCode::ProvisionFailed,
                format!("{path} cannot be used: {e}"),
                "correct the file",
            )
        })
    }

    /// Understands the text of a `pins.json`.
    pub fn parse(text: &str) -> Result<Self> {
        let pins: Self = serde_json::from_str(text)?;
        let missing = Tool::ALL
            .iter()
            .find(|tool| !pins.artefacts.contains_key(tool));
        anyhow::ensure!(
            missing.is_none(),
            "artefact `{}` is missing",
            missing.map_or("", |tool| tool.name())
        );
        Ok(pins)
    }

    /// Every artefact.
    pub fn artefacts(&self) -> impl Iterator<Item = (Tool, &Artefact)> {
        self.artefacts
            .iter()
            .map(|(tool, artefact)| (*tool, artefact))
    }

    /// What is pinned as `tool` on `platform`.
    pub fn pin<'a>(&'a self, tool: Tool, platform: &'a str) -> Result<Pin<'a>> {
        let artefact = &self.artefacts[&tool];
        let download = artefact.platforms.get(platform).ok_or_else(|| {
            let known: Vec<&str> = artefact.platforms.keys().map(String::as_str).collect();
            let cause = format!("{tool} {} is not pinned for {platform}", artefact.version);
            let fix = format!(
                "use one of {}, or set {} to a path",
                known.join(", "),
                artefact.variable
            );
            failure(ExitCode::ProvisionFailed, cause, fix)
        })?;
        Ok(Pin {
            tool,
            artefact,
            download,
            platform,
        })
    }
}

/// This machine, as `pins.json` and Nix name it.
pub fn platform() -> String {
    let system = if std::env::consts::OS == "macos" {
        "darwin"
    } else {
        std::env::consts::OS
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests;
