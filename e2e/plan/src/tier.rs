//! How much of the suite runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The module that holds tests of [`Tier::Nightly`], wherever it is in the suite.
const NIGHTLY_MODULE: &str = "nightly";

/// How much of the suite runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// What every commit has to pass.
    #[default]
    Commit,
    /// That, and what takes too long to be done for every commit.
    Nightly,
}

impl Tier {
    /// The tier from which on a test runs, given its path in the suite.
    pub fn of(path: &str) -> Self {
        let (modules, _own_name) = path.rsplit_once("::").unwrap_or_default();
        if modules.split("::").any(|module| module == NIGHTLY_MODULE) {
            Self::Nightly
        } else {
            Self::Commit
        }
    }

    /// How long the whole suite may take, in seconds.
    pub fn limit_seconds(self) -> u64 {
        match self {
            // The acceptance list's budget for the whole suite.
            Self::Commit => 15 * 60,
            Self::Nightly => 60 * 60,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Commit => "commit",
            Self::Nightly => "nightly",
        })
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "commit" => Ok(Self::Commit),
            "nightly" => Ok(Self::Nightly),
            _ => Err("use `commit` or `nightly`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_nightly_by_a_module_above_it_and_not_by_a_part_of_a_name() {
        let tiers = [
            ("daemon::nightly::dmn_01_x", Tier::Nightly),
            ("nightly::dmn_01_x", Tier::Nightly),
            ("daemon::dmn_01_the_nightly_run", Tier::Commit),
            ("fortnightly::dmn_01_x", Tier::Commit),
            ("nightly", Tier::Commit),
        ];
        for (path, tier) in tiers {
            assert_eq!(Tier::of(path), tier, "{path}");
        }
    }

    #[test]
    fn a_tier_is_read_as_it_is_written() {
        for tier in [Tier::Commit, Tier::Nightly] {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert!("weekly".parse::<Tier>().is_err());
    }
}
