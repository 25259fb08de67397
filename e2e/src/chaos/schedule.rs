//! What happens when, from nothing but a seed.

use std::{fmt, time::Duration};

use crate::rng::SplitMix64;

/// The time between two beginnings, in milliseconds: from, and how many more at most.
const BETWEEN: (u64, usize) = (600, 3_400);
/// How long one lasts, in milliseconds: from, and how many more at most. Beyond the ten seconds after
/// which Temporal takes a silent runner for lost in the longest cases, and far below all limits in
/// most.
const LASTING: (u64, usize) = (150, 4_000);
/// Every so often one lasts so many times as long.
const LONG: (usize, u32) = (8, 3);
/// How long a place has its peace after a disturbance.
const PEACE: Duration = Duration::from_millis(500);

/// A process that something can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Victim {
    /// `stigmer-server`.
    Server,
    /// `stigmer-workflow-runner`.
    WorkflowRunner,
    /// `stigmer-agent-runner`.
    AgentRunner,
    /// The environment's own Temporal.
    Temporal,
}

/// Something that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// SIGKILL, and a new process after the while.
    Kill(Victim),
    /// SIGSTOP, and SIGCONT after the while.
    Freeze(Victim),
    /// Every connection to Temporal is cut, and new ones are refused.
    Cut,
    /// Connections to Temporal stay open, and nothing passes.
    Stall,
    /// No file of the server can grow.
    FullDisk,
    /// Every write of the server waits.
    SlowDisk,
}

/// What a disturbance takes hold of; nothing else happens there meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A process.
    Process(Victim),
    /// The way to Temporal.
    Link,
}

const ALL: [Disturbance; 12] = [
    Disturbance::Kill(Victim::Server),
    Disturbance::Kill(Victim::WorkflowRunner),
    Disturbance::Kill(Victim::AgentRunner),
    Disturbance::Kill(Victim::Temporal),
    Disturbance::Freeze(Victim::Server),
    Disturbance::Freeze(Victim::WorkflowRunner),
    Disturbance::Freeze(Victim::AgentRunner),
    Disturbance::Freeze(Victim::Temporal),
    Disturbance::Cut,
    Disturbance::Stall,
    Disturbance::FullDisk,
    Disturbance::SlowDisk,
];

/// A disturbance with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it begins, from the start of the chaos.
    pub at: Duration,
    /// How long it lasts.
    pub lasting: Duration,
    /// What happens.
    pub disturbance: Disturbance,
}

/// Everything that is going to happen, by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Planned>);

impl Schedule {
    /// The schedule of `seed` for this `length`: the same whenever and wherever it is made. Everything
    /// in it is over by then.
    pub fn of(seed: u64, length: Duration) -> Self {
        let mut chance = SplitMix64::new(seed);
        let mut draw =
            |(least, more): (u64, usize)| Duration::from_millis(least + chance.below(more) as u64);
        let mut picks = SplitMix64::new(seed ^ 0x6368_616f_7300);
        let mut planned: Vec<Planned> = Vec::new();
        let mut at = draw(BETWEEN);
        while at < length {
            let mut lasting = draw(LASTING);
            if picks.below(LONG.0) == 0 {
                lasting *= LONG.1;
            }
            let free = |disturbance: &Disturbance| {
                let place = disturbance.place();
                let mut before = planned.iter().rev();
                before
                    .find(|other| other.disturbance.place() == place)
                    .is_none_or(|other| other.end() + PEACE <= at)
            };
            let candidates: Vec<_> = ALL.into_iter().filter(free).collect();
            if at + lasting <= length && !candidates.is_empty() {
                planned.push(Planned {
                    at,
                    lasting,
                    disturbance: candidates[picks.below(candidates.len())],
                });
            }
            at += draw(BETWEEN);
        }
        Self(planned)
    }

    /// What is planned, by the time of its beginning.
    pub fn planned(&self) -> &[Planned] {
        &self.0
    }
}

impl Planned {
    /// When it is over.
    pub fn end(&self) -> Duration {
        self.at + self.lasting
    }
}

impl Disturbance {
    /// What it takes hold of. The disk is the server's: it is its process that notices.
    pub fn place(self) -> Place {
        match self {
            Self::Kill(victim) | Self::Freeze(victim) => Place::Process(victim),
            Self::Cut | Self::Stall => Place::Link,
            Self::FullDisk | Self::SlowDisk => Place::Process(Victim::Server),
        }
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "the server",
            Self::WorkflowRunner => "the workflow-runner",
            Self::AgentRunner => "the agent-runner",
            Self::Temporal => "Temporal",
        })
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.lasting.as_secs_f64();
        match self.disturbance {
            Disturbance::Kill(victim) => write!(f, "{victim} is killed, back after {seconds:.1} s"),
            Disturbance::Freeze(victim) => write!(f, "{victim} is frozen for {seconds:.1} s"),
            Disturbance::Cut => write!(f, "the way to Temporal is cut for {seconds:.1} s"),
            Disturbance::Stall => write!(f, "nothing passes to Temporal for {seconds:.1} s"),
            Disturbance::FullDisk => write!(f, "the server's disk is full for {seconds:.1} s"),
            Disturbance::SlowDisk => write!(f, "the server's disk stalls for {seconds:.1} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_schedule_which_ends_in_time(seed: u64, seconds in 1_u64..1_200) {
            let length = Duration::from_secs(seconds);
            let schedule = Schedule::of(seed, length);
            prop_assert_eq!(&schedule, &Schedule::of(seed, length));
            prop_assert!(schedule.planned().is_sorted_by_key(|planned| planned.at));
            prop_assert!(schedule.planned().iter().all(|planned| planned.end() <= length));
        }

        #[test]
        fn nothing_happens_to_a_place_that_still_suffers(seed: u64) {
            let schedule = Schedule::of(seed, Duration::from_secs(60));
            let planned = schedule.planned();
            for (index, one) in planned.iter().enumerate() {
                for later in &planned[index + 1..] {
                    let same = one.disturbance.place() == later.disturbance.place();
                    prop_assert!(!same || one.end() + PEACE <= later.at, "{:?} and {:?}", one, later);
                }
            }
        }

        #[test]
        fn in_ten_minutes_everything_happens(seed: u64) {
            let schedule = Schedule::of(seed, Duration::from_secs(600));
            let happening = schedule.planned().iter().map(|planned| format!("{:?}", planned.disturbance));
            prop_assert_eq!(happening.collect::<HashSet<_>>().len(), ALL.len());
        }
    }

    #[test]
    fn other_seeds_give_other_schedules() {
        let of = |seed| Schedule::of(seed, Duration::from_secs(60));
        assert_ne!(of(1), of(2));
        assert!(of(1).planned().len() > 10);
    }
}
