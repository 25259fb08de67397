//! The numbers of a load that must not rise.

use serde::Serialize;
use stigmer_e2e_numbers::{Bootstrap, Sample};

use super::{LevelRecord, LoadRecord, Timed};

/// A number, where it plausibly is, and what it counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its name, such as `load workflows 50 p99`.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// Where it plausibly is (95 %, bootstrap); the value itself where it was measured only once.
    pub interval: [f64; 2],
    /// What it counts.
    pub unit: &'static str,
}

/// Of times and of throughput.
const TIMES: &str = "times bare Temporal";
/// Of memory.
const MIB: &str = "MiB";
/// Of open files.
const FILES: &str = "files";

impl Figure {
    /// Whether it does not depend on what else the machine does.
    pub fn is_steady(&self) -> bool {
        self.unit != TIMES
    }

    fn once(name: String, value: f64, unit: &'static str) -> Self {
        Self {
            name,
            value,
            interval: [value, value],
            unit,
        }
    }
}

impl LoadRecord {
    /// Its numbers: of each level the median, the 99th percentile, and the time that an execution takes of
    /// the whole, all in times of bare Temporal; the most memory and open files of each part.
    pub fn figures(&self) -> Vec<Figure> {
        let label = self.label();
        let levels = self.levels.iter();
        levels.flat_map(|level| of_level(&label, level)).collect()
    }

    /// What was put under load, as far as it makes a difference.
    fn label(&self) -> String {
        let mut label = format!("load {}", self.mix);
        if self.plan.runners > 1 {
            label += &format!(" x{}", self.plan.runners);
        }
        if self.plan.temporal.is_some() {
            label += " remote";
        }
        label
    }
}

fn of_level(label: &str, level: &LevelRecord) -> Vec<Figure> {
    let name = |what: &str| format!("{label} {} {what}", level.at_once);
    let (stack, bare) = (&level.stack, &level.temporal);
    let mut figures = Vec::new();
    for (what, percent) in [("median", 50.0), ("p99", 99.0)] {
        figures.extend(ratio(name(what), stack, bare, percent));
    }
    let share = bare.per_second / stack.per_second;
    figures.push(Figure::once(name("time each"), share, TIMES));
    // Temporal is not ours to limit.
    let parts = level.processes.iter().filter(|it| it.name != "temporal");
    for part in parts {
        let (memory, files) = (part.peak_mib, part.peak_files as f64);
        let of_part = |what: &str| name(&format!("{} {what}", part.name));
        figures.push(Figure::once(of_part("memory"), memory, MIB));
        figures.push(Figure::once(of_part("files"), files, FILES));
    }
    figures
}

/// How many times a percentile of `bare` goes into that of `stack`.
fn ratio(name: String, stack: &Timed, bare: &Timed, percent: f64) -> Option<Figure> {
    let stack = Sample::of(stack.ms.iter().copied())?;
    let bare = Sample::of(bare.ms.iter().copied())?;
    let ratio = |a: &Sample, b: &Sample| a.percentile(percent) / b.percentile(percent);
    let interval = Bootstrap::default().interval_of_two(&stack, &bare, ratio);
    Some(Figure {
        name,
        value: ratio(&stack, &bare),
        interval: [interval.low, interval.high],
        unit: TIMES,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stigmer_e2e_plan::{LoadPlan, Mix};

    use super::*;
    use crate::load::ProcessUse;

    fn record(plan: LoadPlan) -> LoadRecord {
        let timed = |ms: u64, seconds: u64| {
            let times: Vec<_> = (0..100).map(|n| Duration::from_millis(ms + n)).collect();
            Timed::of("a thing", &times, Duration::from_secs(seconds))
        };
        let process = |name: &str| ProcessUse {
            name: name.to_owned(),
            first_mib: 10.0,
            peak_mib: 30.0,
            last_mib: 20.0,
            first_files: 1,
            peak_files: 9,
            last_files: 2,
        };
        let level = LevelRecord {
            at_once: 10,
            stack: timed(1000, 40),
            temporal: timed(450, 10),
            model: None,
            processes: vec![process("stigmer-server"), process("temporal")],
        };
        LoadRecord::of(Mix::Workflows, &plan, vec![level])
    }

    #[test]
    fn every_number_that_must_not_rise_has_a_name_and_a_unit() {
        let figures = record(LoadPlan::default()).figures();
        let seen: Vec<_> = figures
            .iter()
            .map(|it| (it.name.as_str(), it.unit))
            .collect();
        assert_eq!(
            seen,
            [
                ("load workflows 10 median", TIMES),
                ("load workflows 10 p99", TIMES),
                ("load workflows 10 time each", TIMES),
                ("load workflows 10 stigmer-server memory", MIB),
                ("load workflows 10 stigmer-server files", FILES),
            ]
        );
        let values: Vec<_> = figures.iter().map(|it| (it.value * 10.0).round()).collect();
        assert_eq!(values, [21.0, 20.0, 40.0, 300.0, 90.0]);
        let [low, high] = figures[0].interval;
        assert!(low < figures[0].value && figures[0].value < high);
    }

    #[test]
    fn another_set_up_is_not_compared_with_this_one() {
        let plan = LoadPlan {
            runners: 3,
            temporal: Some("host:1".parse().unwrap()),
            ..LoadPlan::default()
        };
        let figures = record(plan).figures();
        assert!(figures[0].name.starts_with("load workflows x3 remote 10 "));
    }
}
