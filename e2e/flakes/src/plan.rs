//! What `flaky` and `polluter` are asked for, and when counting ends.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use stigmer_e2e_numbers::{Decision, Sprt};
use stigmer_e2e_plan::{Plan, count};

/// The chance with which either answer of [`StopRule::Until`] may be wrong.
const ERROR: f64 = 0.05;
/// A rate that is this much lower than the bound is called good.
const GOOD: f64 = 0.1;

/// Everything the driver needs to know about `flaky`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlakyPlan {
    /// One round; the driver gives each its own seed, name, and results folder.
    pub run: Plan,
    /// When there have been enough.
    pub stop: StopRule,
    /// The share of red rounds that must be excluded, whatever was asked for otherwise.
    pub gate: Option<f64>,
    /// What keeps the machine busy meanwhile.
    pub stress: Vec<Stress>,
}

/// Everything the driver needs to know about `polluter`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolluterPlan {
    /// One trial; the driver gives each its own tests, name, and results folder.
    pub run: Plan,
    /// The test that fails, by its path in the suite.
    pub victim: String,
    /// The tests that began before it, in their order.
    pub earlier: Vec<String>,
    /// How often a selection is run before it is said to pass.
    pub tries: u64,
}

/// When there have been enough rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "rule")]
pub enum StopRule {
    /// After so many.
    After {
        /// How many.
        rounds: u64,
    },
    /// As soon as the share of red rounds is known to be below `bound`, or above a tenth of it, each
    /// with a chance of error of 5 % at most.
    Until {
        /// The share, between 0 and 1.
        bound: f64,
        /// No more rounds than these, decided or not.
        at_most: u64,
    },
}

/// What a [`StopRule`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Go on.
    NotYet,
    /// The rounds that were asked for have been made.
    Counted,
    /// The share of red rounds is below the bound.
    Below,
    /// The share of red rounds is above a tenth of the bound.
    Above,
    /// As many rounds as are allowed decided nothing.
    Undecided,
}

impl StopRule {
    /// What `red` of `rounds` rounds say.
    pub fn look(&self, red: u64, rounds: u64) -> Stop {
        match *self {
            Self::After { rounds: enough } if rounds >= enough => Stop::Counted,
            Self::After { .. } => Stop::NotYet,
            Self::Until { bound, at_most } => {
                match Sprt::new(bound * GOOD, bound, ERROR).decide(red, rounds) {
                    Decision::Good => Stop::Below,
                    Decision::Bad => Stop::Above,
                    Decision::GoOn if rounds >= at_most => Stop::Undecided,
                    Decision::GoOn => Stop::NotYet,
                }
            }
        }
    }

    /// The greatest number of rounds.
    pub fn at_most(&self) -> u64 {
        match *self {
            Self::After { rounds } => rounds,
            Self::Until { at_most, .. } => at_most,
        }
    }
}

impl fmt::Display for StopRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After { rounds } => f.write_str(&count(*rounds as usize, "round")),
            Self::Until { bound, at_most } => {
                write!(
                    f,
                    "until below {} or above a tenth of it, at most {at_most} rounds",
                    Share(*bound)
                )
            }
        }
    }
}

/// A share between 0 and 1, written as `2%` or `0.02`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let share = match text.strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(text),
        };
        match share {
            Some(share) if share > 0.0 && share < 1.0 => Ok(Self(share)),
            _ => Err("use a share between 0 and 1, such as `2%` or `0.02`".to_owned()),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0 * 100.0);
        let short = text.trim_end_matches('0').trim_end_matches('.');
        f.pad(&format!("{short} %"))
    }
}

/// A kind of load beside the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stress {
    /// Four busy threads for each core.
    Cpu,
    /// Memory that is held and touched.
    Memory,
    /// Files that are written, synced to the disk, and removed.
    Disk,
}

impl Stress {
    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for Stress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Stress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Cpu, Self::Memory, Self::Disk]
            .into_iter()
            .find(|stress| stress.as_str() == text)
            .ok_or_else(|| "use `cpu`, `memory`, or `disk`, with commas between them".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_rounds_end_at_their_number_and_not_before() {
        let rule = StopRule::After { rounds: 3 };
        assert_eq!(rule.look(2, 2), Stop::NotYet);
        assert_eq!(rule.look(0, 3), Stop::Counted);
    }

    #[test]
    fn evidence_ends_the_rounds_either_way_and_the_limit_ends_them_undecided() {
        let rule = StopRule::Until {
            bound: 0.02,
            at_most: 200,
        };
        assert_eq!(rule.look(0, 164), Stop::NotYet);
        assert_eq!(rule.look(0, 165), Stop::Below);
        assert_eq!(rule.look(2, 10), Stop::Above);
        assert_eq!(rule.look(1, 199), Stop::NotYet);
        assert_eq!(rule.look(1, 200), Stop::Undecided);
    }

    #[test]
    fn a_share_is_typed_as_a_number_or_in_per_cent() {
        assert_eq!("2%".parse(), Ok(Share(0.02)));
        assert_eq!("0.5 %".parse(), Ok(Share(0.005)));
        assert_eq!("0.1".parse(), Ok(Share(0.1)));
        for wrong in ["2", "0", "100%", "-1%", "two", "", "NaN"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
        assert_eq!(Share(0.0198).to_string(), "1.98 %");
        assert_eq!(Share(0.1).to_string(), "10 %");
    }

    #[test]
    fn a_stress_is_read_as_it_is_written() {
        for stress in [Stress::Cpu, Stress::Memory, Stress::Disk] {
            assert_eq!(stress.to_string().parse(), Ok(stress));
        }
        assert!("network".parse::<Stress>().is_err());
    }
}
