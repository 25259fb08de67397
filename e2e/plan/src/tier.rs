//! How much of the suite runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The modules that hold tests of a later tier, wherever they are in the suite; the latest tier first.
const MODULES: [(&str, Tier); 2] = [("weekly", Tier::Weekly), ("nightly", Tier::Nightly)];

/// How much of the suite runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// What every commit has to pass.
    #[default]
    Commit,
    /// That, and what takes too long to be done for every commit.
    Nightly,
    /// That, and what takes an hour and longer, most of it waiting.
    Weekly,
}

impl Tier {
    /// The tier from which on a test runs, given its path in the suite.
    pub fn of(path: &str) -> Self {
        let (modules, _own_name) = path.rsplit_once("::").unwrap_or_default();
        let is_below = |name: &str| modules.split("::").any(|module| module == name);
        let found = MODULES.into_iter().find(|(name, _)| is_below(name));
        found.map_or(Self::Commit, |(_, tier)| tier)
    }

    /// How long the whole suite may take, in seconds.
    pub fn limit_seconds(self) -> u64 {
        match self {
            // The acceptance list's budget for the whole suite.
            Self::Commit => 15 * 60,
            Self::Nightly => 60 * 60,
            // The longest idling beside all else.
            Self::Weekly => 4 * 60 * 60,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Commit => "commit",
            Self::Nightly => "nightly",
            Self::Weekly => "weekly",
        })
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "commit" => Ok(Self::Commit),
            "nightly" => Ok(Self::Nightly),
            "weekly" => Ok(Self::Weekly),
            _ => Err("use `commit`, `nightly`, or `weekly`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_of_a_later_tier_by_a_module_above_it_and_not_by_a_part_of_a_name() {
        let tiers = [
            ("daemon::nightly::dmn_01_x", Tier::Nightly),
            ("nightly::dmn_01_x", Tier::Nightly),
            ("run::weekly::ext_05_x", Tier::Weekly),
            ("nightly::weekly::x", Tier::Weekly),
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
        for tier in [Tier::Commit, Tier::Nightly, Tier::Weekly] {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert!("monthly".parse::<Tier>().is_err());
    }
}
