//! The statistics of one benchmark.

use serde::Serialize;
use stigmer_e2e_numbers::{Bootstrap, Interval, Sample};

use super::{measured::Measurement, verdict::Measure};

/// One benchmark in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What was timed.
    pub what: String,
    /// How often.
    pub rounds: usize,
    /// The median in milliseconds.
    pub median_ms: f64,
    /// The median distance from it, in milliseconds.
    pub mad_ms: f64,
    /// Where the median plausibly is (95 %, bootstrap).
    pub interval_ms: [f64; 2],
    /// What it was put beside.
    pub beside: Option<Beside>,
}

/// A benchmark beside its anchor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// What the anchor does.
    pub what: String,
    /// Its median in milliseconds.
    pub median_ms: f64,
    /// How many times the anchor's median goes into the benchmark's.
    pub ratio: f64,
    /// Where the ratio plausibly is (95 %, bootstrap).
    pub interval: [f64; 2],
}

impl Row {
    /// The statistics of `measurement`, unless it has no round.
    pub fn of(measurement: &Measurement) -> Option<Self> {
        let sample = Sample::of(measurement.ms.iter().copied())?;
        let bootstrap = Bootstrap::default();
        let beside = measurement.anchor.as_ref().and_then(|anchor| {
            let bare = Sample::of(anchor.ms.iter().copied())?;
            let ratio = |a: &Sample, b: &Sample| a.median() / b.median();
            Some(Beside {
                what: anchor.what.clone(),
                median_ms: bare.median(),
                ratio: ratio(&sample, &bare),
                interval: ends(bootstrap.interval_of_two(&sample, &bare, ratio)),
            })
        });
        Some(Self {
            name: measurement.name.clone(),
            what: measurement.what.clone(),
            rounds: sample.len(),
            median_ms: sample.median(),
            mad_ms: sample.mad(),
            interval_ms: ends(bootstrap.interval(&sample, Sample::median)),
            beside,
        })
    }
}

impl Measure for Row {
    fn name(&self) -> &str {
        &self.name
    }

    /// The ratio to the anchor, which a slow machine does not change; milliseconds where there is no
    /// anchor.
    fn value(&self) -> f64 {
        self.beside
            .as_ref()
            .map_or(self.median_ms, |beside| beside.ratio)
    }

    fn interval(&self) -> [f64; 2] {
        self.beside
            .as_ref()
            .map_or(self.interval_ms, |beside| beside.interval)
    }

    fn unit(&self) -> &'static str {
        match self.beside {
            Some(_) => "times its anchor",
            None => "ms",
        }
    }
}

fn ends(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}
