//! What a test measures for `cargo xtask bench`, round by round.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Times of one thing, and of something bare that was done in the same rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Its name, such as `workflow run`.
    pub name: String,
    /// What was timed, from when to when.
    pub what: String,
    /// Milliseconds of each round.
    pub ms: Vec<f64>,
    /// What it is put beside, so that a slow machine does not count as a slow stack.
    pub anchor: Anchor,
}

/// Something bare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// What was done.
    pub what: String,
    /// Milliseconds of each round.
    pub ms: Vec<f64>,
}

impl Benchmark {
    /// One without a round so far; `beside` says what its anchor does.
    pub fn new(name: &str, what: &str, beside: &str) -> Self {
        Self {
            name: name.to_owned(),
            what: what.to_owned(),
            ms: Vec::new(),
            anchor: Anchor {
                what: beside.to_owned(),
                ms: Vec::new(),
            },
        }
    }

    /// Adds a round: the time of the thing itself, and that of its anchor.
    pub fn round(&mut self, time: Duration, anchor: Duration) {
        self.ms.push(milliseconds(time));
        self.anchor.ms.push(milliseconds(anchor));
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
