//! What nothing of a run may touch, because it belongs to whoever works on this machine: the ports that
//! Temporal, Stigmer, and Ollama have by default, and `~/.stigmer`. While a run goes on, it listens on
//! those ports itself and answers nobody; whoever connects is looked up and written down.

mod culprit;
mod home;
mod ports;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

pub use culprit::Culprit;
pub use home::{guard_again, guarded_home, is_untouched, variables};
pub use ports::{Ports, Watched};

/// Somebody connected to a port that nobody of a run may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// The port.
    pub port: u16,
    /// When, RFC 3339.
    pub at: String,
    /// Who; nothing when it was gone before it was looked for.
    pub culprit: Option<Culprit>,
}

impl Trip {
    /// Whether a process of the run `run_id` did it.
    pub fn is_of_run(&self, run_id: &str) -> bool {
        let run = self.culprit.as_ref().and_then(|c| c.run.as_deref());
        run == Some(run_id)
    }

    /// Whether a process of the test `name` did it.
    pub fn is_of_test(&self, name: &str) -> bool {
        let test = self.culprit.as_ref().and_then(|c| c.test.as_deref());
        test == Some(name)
    }
}

impl std::fmt::Display for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { port, at, culprit } = self;
        match culprit {
            Some(culprit) => write!(
                f,
                "process {} ({}) connected to port {port} at {at}, which is not the run's",
                culprit.pid, culprit.command
            ),
            None => write!(
                f,
                "somebody who was gone at once connected to port {port} at {at}"
            ),
        }
    }
}

/// Where the trips of the run with `results` are written, one JSON object a line.
pub fn file_of(results: &Utf8Path) -> Utf8PathBuf {
    results.join("tripwires.jsonl")
}

/// All trips of the run with `results` so far.
pub fn trips(results: &Utf8Path) -> Vec<Trip> {
    let text = fs::read_to_string(file_of(results)).unwrap_or_default();
    text.lines()
        // The last line may be under way.
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
