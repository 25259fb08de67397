//! Pinned tools: found where Nix says, in the user's cache, on `PATH`, or fetched; always proven.

mod disk;
mod fetch;
mod pip;
mod slot;
mod unpack;
mod verify;

use std::{env, fmt, thread};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ExitCode, Package, failure};

pub use disk::{WRITABLE as CACHE_WRITABLE, free_bytes};
pub use slot::{Slot, State};
pub use verify::sha256_of;

use self::fetch::Fetcher;

use crate::{
    ask::{self, Version},
    checkout::utf8,
    host::Python,
    pins::{Check, Pin, Sha256Hex, Tool},
    progress::Progress,
};

/// A tool that is there and does what it should.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Which one.
    pub tool: Tool,
    /// Its version; for a copy on `PATH`, that copy's.
    pub version: String,
    /// The file that is used.
    pub file: Utf8PathBuf,
    /// The folder that Python imports it from, if it is a module.
    pub folder: Utf8PathBuf,
    /// SHA-256 of `file`.
    pub sha256: Sha256Hex,
    /// How it got here.
    pub source: Source,
    /// What it was taken from; nothing for a program that the machine had.
    pub package: Option<Package>,
}

/// The package that a pin names.
fn package_of(pin: &Pin<'_>) -> Package {
    let Pin {
        artefact, download, ..
    } = pin;
    Package {
        name: artefact.package.clone(),
        version: artefact.version.clone(),
        sha256: download.wheel.sha256.to_string(),
        license: artefact.license.clone(),
    }
}

impl Provisioned {
    /// What is run: the file itself, or the folder in it that the check of its pin names.
    fn program(&self, pin: &Pin<'_>) -> Utf8PathBuf {
        match &pin.artefact.check {
            Check::PythonArchive { entry, .. } => self.file.join(entry),
            _ => self.file.clone(),
        }
    }
}

/// Where a tool came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The variable that Nix sets.
    Nix,
    /// The user's cache, verified in an earlier run.
    Cache,
    /// A program on `PATH` that fits.
    Path,
    /// Fetched in this run.
    Fetched,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nix => "nix",
            Self::Cache => "cache",
            Self::Path => "path",
            Self::Fetched => "fetched",
        })
    }
}

/// What provisioning works with.
#[derive(Clone, Copy)]
pub struct Provisioner<'a> {
    /// The user's cache of this project.
    pub cache: &'a Utf8Path,
    /// Fetches packages and imports the llama.cpp server.
    pub python: Result<&'a Python, &'a str>,
    /// The pip that fetches.
    pub pip: Pin<'a>,
}

impl Provisioner<'_> {
    /// Finds every pin, fetching in parallel what is nowhere yet. One result per pin, in order.
    pub fn provision(&self, pins: &[Pin<'_>], progress: &Progress) -> Vec<Result<Provisioned>> {
        let found = in_parallel(pins, |pin| self.find(pin));
        let absent = pins
            .iter()
            .zip(&found)
            .filter(|(_, found)| matches!(found, Ok(None)));
        let absent: Vec<Pin<'_>> = absent.map(|(pin, _)| *pin).collect();
        let mut fetched = self.fetch(&absent, progress).into_iter();
        let or_fetched = |found: Result<Option<Provisioned>>| match found.transpose() {
            Some(found) => found,
            // `fetch` gives one result for each pin that was absent.
            None => fetched.next().expect("one result per absent pin"),
        };
        found.into_iter().map(or_fetched).collect()
    }

    /// Fetches the packages of all pins into `folder`, whether or not they are on this machine
    /// already, and returns their files in order.
    pub fn packages(
        &self,
        pins: &[Pin<'_>],
        folder: &Utf8Path,
        progress: &Progress,
    ) -> Result<Vec<Utf8PathBuf>> {
        let (fetcher, _) = Fetcher::with_pinned_pip(self, pins, progress)?;
        let fetch = |pin: &Pin<'_>| {
            let folder = folder.join(pin.tool.name());
            fetcher.package(pin, &folder, &progress.bar(pin))
        };
        in_parallel(pins, fetch).into_iter().collect()
    }

    /// Looks for a pin on this machine. `None` means that it has to be fetched.
    pub fn find(&self, pin: &Pin<'_>) -> Result<Option<Provisioned>> {
        if let Some(given) = env::var_os(&pin.artefact.variable).filter(|value| !value.is_empty()) {
            let path = utf8(std::path::absolute(given)?)?;
            return self.given(pin, path).map(Some);
        }
        let slot = Slot::new(self.cache, pin);
        if slot.state(pin) == State::Intact {
            return Ok(Some(slot.provisioned(pin, Source::Cache)));
        }
        Ok(self.on_path(pin))
    }

    /// Like [`Self::find`], and tries whether it still works.
    pub fn find_and_try(&self, pin: &Pin<'_>) -> Result<Option<Provisioned>> {
        let found = self.find(pin)?;
        if let Some(found) = &found {
            verify::prove(pin, &found.file, &found.folder, self.python).map_err(|why| {
                let cause = format!("{} {} {why}", pin.tool, found.file);
                let fix = format!("correct it, or set {} to a path", pin.artefact.variable);
                failure(why.code(), cause, fix)
            })?;
        }
        Ok(found)
    }

    /// The path that a variable names: it must exist and be what the pin says.
    fn given(&self, pin: &Pin<'_>, path: Utf8PathBuf) -> Result<Provisioned> {
        let refuse_with = |code: ExitCode, why: String| {
            let cause = format!("{}={path} {why}", pin.artefact.variable);
            let fix = "correct the variable, or unset it to use the pinned package";
            failure(code, cause, fix)
        };
        let refuse = |why| refuse_with(ExitCode::ProvisionFailed, why);
        let (file, folder) = match &pin.artefact.check {
            Check::PythonModule { .. } => (path.join(&pin.download.member.path), path.clone()),
            _ => (
                path.clone(),
                path.parent().unwrap_or(Utf8Path::new("/")).to_owned(),
            ),
        };
        if !file.is_file() {
            return Err(refuse(format!("does not exist ({file} is not a file)")));
        }
        let version = verify::prove(pin, &file, &folder, self.python)
            .map_err(|why| refuse_with(why.code(), why.to_string()))?;
        let sha256 = verify::remembered_sha256(self.cache, &file)
            .map_err(|e| refuse(format!("cannot be read: {e}")))?;
        // Nix patches programs, and nothing else.
        let is_never_patched = matches!(
            pin.artefact.check,
            Check::File { .. } | Check::PythonArchive { .. }
        );
        if is_never_patched && sha256 != pin.download.member.sha256 {
            return Err(refuse(format!(
                "has sha256 {sha256}, the pin says {}",
                pin.download.member.sha256
            )));
        }
        Ok(Provisioned {
            tool: pin.tool,
            version,
            file,
            folder,
            sha256,
            source: Source::Nix,
            package: Some(package_of(pin)),
        })
    }

    /// The user's own copy, where one will do. A copy that does not fit is passed over silently:
    /// the pinned one is fetched instead.
    fn on_path(&self, pin: &Pin<'_>) -> Option<Provisioned> {
        let wanted = pin.artefact.on_path.as_ref()?;
        let Check::Program { arguments, .. } = &pin.artefact.check else {
            return None;
        };
        let file = Utf8PathBuf::from_path_buf(which::which(&wanted.program).ok()?).ok()?;
        let version = ask::version_in(&ask::ask(file.as_str(), arguments).ok()?)?;
        let folder = file.parent()?.to_owned();
        let sha256 = verify::remembered_sha256(self.cache, &file).ok()?;
        let tool = pin.tool;
        fits(version, wanted.at_least).then(|| Provisioned {
            tool,
            version: version.to_string(),
            file,
            folder,
            sha256,
            source: Source::Path,
            package: None,
        })
    }

    fn fetch(&self, absent: &[Pin<'_>], progress: &Progress) -> Vec<Result<Provisioned>> {
        if absent.is_empty() {
            return Vec::new();
        }
        match Fetcher::with_pinned_pip(self, absent, progress) {
            Ok((fetcher, pip)) => in_parallel(absent, |pin| match pin.tool {
                Tool::Pip => Ok(pip.clone()),
                _ => fetcher.fetch(pin, &progress.bar(pin)),
            }),
            // Nothing can be fetched, for one reason, which holds for each.
            Err(why) => absent.iter().map(|_| Err(why.clone().into())).collect(),
        }
    }
}

/// Whether `version` may stand in for `at_least`: the same series, and not older.
fn fits(version: Version, at_least: Version) -> bool {
    (version.0, version.1) == (at_least.0, at_least.1) && version >= at_least
}

/// Does the `work` for each pin in a thread of its own. The results are in order.
fn in_parallel<T: Send>(pins: &[Pin<'_>], work: impl Fn(&Pin<'_>) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = pins
            .iter()
            .map(|pin| scope.spawn(move || work(pin)))
            .collect();
        let joined = |thread: thread::ScopedJoinHandle<'_, T>| thread.join();
        let panicked = |panic| std::panic::resume_unwind(panic);
        threads
            .into_iter()
            .map(|thread| joined(thread).unwrap_or_else(panicked))
            .collect()
    })
}

#[cfg(test)]
mod tests;
