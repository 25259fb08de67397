//! Under which circumstances tests were run.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{Pin, read_json};

use crate::Stress;

/// What numbers hold for: with other circumstances they may be others.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Circumstances {
    /// The commit; nothing when the checkout is no Git repository.
    pub revision: Option<String>,
    /// Whether files differed from the commit.
    pub dirty: bool,
    /// The pinned tools with their versions.
    pub pins: Vec<String>,
    /// The machine: cores, processor, kernel.
    pub host: String,
    /// How many tests ran at once.
    pub jobs: usize,
    /// The load beside the tests.
    pub stress: Vec<Stress>,
}

/// `run.json`, as far as it says what numbers hold for.
#[derive(Deserialize)]
struct Ran {
    jobs: usize,
    git: Option<Git>,
    host: Option<Host>,
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
struct Git {
    revision: String,
    dirty: bool,
}

#[derive(Deserialize)]
struct Host {
    cores: usize,
    cpu: Option<String>,
    kernel: Option<String>,
}

impl Circumstances {
    /// Those of the run in `results`, beside which there was `stress`. What the run did not come to
    /// know is left empty.
    pub fn read(results: &Utf8Path, stress: &[Stress]) -> Self {
        let Ok(ran) = read_json::<Ran>(&results.join("run.json")) else {
            return Self::default();
        };
        let host = ran.host.map(|host| {
            let known = [host.cpu, host.kernel].into_iter().flatten();
            let cores = format!("{} cores", host.cores);
            known.fold(cores, |text, part| format!("{text}, {part}"))
        });
        let pins = ran.pins.iter();
        Self {
            dirty: ran.git.as_ref().is_some_and(|git| git.dirty),
            revision: ran.git.map(|git| git.revision),
            pins: pins
                .map(|pin| format!("{} {}", pin.name, pin.version))
                .collect(),
            host: host.unwrap_or_default(),
            jobs: ran.jobs,
            stress: stress.to_vec(),
        }
    }
}
