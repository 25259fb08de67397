//! What `cargo xtask load` asks for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The file in the checkout that has what later runs are compared with.
pub const BASELINE: &str = "e2e/baseline.json";

/// A load, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// How many executions are under way at once, level by level.
    pub levels: Levels,
    /// How many processes of each runner work on them.
    pub runners: u16,
    /// The Temporal that carries them; that of the run when unset.
    pub temporal: Option<RemoteTemporal>,
}

impl Default for LoadPlan {
    fn default() -> Self {
        Self {
            levels: Levels(vec![1, 10, 50, 200]),
            runners: 1,
            temporal: None,
        }
    }
}

/// Numbers of executions at once, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Levels(Vec<usize>);

/// The most that one process can drive and follow.
const MOST_AT_ONCE: usize = 1000;

impl Levels {
    /// The numbers.
    pub fn numbers(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&numbers.join(","))
    }
}

impl FromStr for Levels {
    type Err = String;

    /// Reads numbers with commas in between, such as `10,50,200`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| match word.trim().parse() {
            Ok(number @ 1..=MOST_AT_ONCE) => Ok(number),
            _ => Err(format!("{word:?} is no number from 1 to {MOST_AT_ONCE}")),
        };
        let numbers = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        match numbers.is_sorted_by(|a, b| a < b) {
            true => Ok(Self(numbers)),
            false => Err("name each level once, the lowest first, such as 10,50,200".to_owned()),
        }
    }
}

impl From<Levels> for String {
    fn from(levels: Levels) -> Self {
        levels.to_string()
    }
}

impl TryFrom<String> for Levels {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A Temporal that is not the run's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteTemporal {
    /// Its frontend, `host:port`.
    pub address: String,
    /// A namespace that is there; a new one is made when unset.
    pub namespace: Option<String>,
}

impl fmt::Display for RemoteTemporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)?;
        let mut namespace = self.namespace.iter();
        namespace.try_for_each(|name| write!(f, ",namespace={name}"))
    }
}

impl FromStr for RemoteTemporal {
    type Err = String;

    /// Reads `host:port` or `host:port,namespace=NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(',');
        let address = words.next().unwrap_or_default();
        let is_address = |(host, port): (&str, &str)| {
            let plain = !host.is_empty() && !host.contains(['/', '@', ' ']);
            plain && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        if !address.rsplit_once(':').is_some_and(is_address) {
            return Err(format!(
                "{address:?} is no address; name host and port, such as temporal.example:7233"
            ));
        }
        let mut namespace = None;
        for word in words {
            match word.split_once('=') {
                Some(("namespace", name)) if !name.is_empty() => namespace = Some(name.to_owned()),
                _ if word == "tls" => {
                    return Err("the stack speaks to Temporal without TLS; start a proxy that adds it, and name the proxy (docs/load.md)".to_owned());
                }
                _ => return Err(format!("{word:?} is not known; use `namespace=NAME`")),
            }
        }
        Ok(Self {
            address: address.to_owned(),
            namespace,
        })
    }
}

/// What is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mix {
    /// Agents, each of which asks its model once.
    Agents,
    /// Workflows of three SET tasks.
    Workflows,
    /// One of each in turn.
    Mixed,
}

impl Mix {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Agents, Self::Workflows, Self::Mixed];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Workflows => "workflows",
            Self::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|mix| mix.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no mix {text:?}: use one of {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_ascend_and_stay_within_what_one_process_can_drive() {
        let levels: Levels = "10, 50,1000".parse().unwrap();
        assert_eq!(levels.numbers(), [10, 50, 1000]);
        assert_eq!(levels.to_string(), "10,50,1000");
        for bad in ["", "0", "10,10", "50,10", "1001", "ten", "10,"] {
            assert!(bad.parse::<Levels>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_remote_temporal_is_an_address_and_perhaps_a_namespace() {
        let there: RemoteTemporal = "temporal.example:7233,namespace=load".parse().unwrap();
        assert_eq!(there.address, "temporal.example:7233");
        assert_eq!(there.namespace.as_deref(), Some("load"));
        assert_eq!(there.to_string(), "temporal.example:7233,namespace=load");
        assert_eq!("[::1]:1".parse::<RemoteTemporal>().unwrap().namespace, None);
        for bad in [
            "host",
            ":7233",
            "host:0",
            "host:70000",
            "http://host:1",
            "host:1,namespace=",
            "host:1,colour=red",
        ] {
            assert!(bad.parse::<RemoteTemporal>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tls_is_refused_with_the_way_around() {
        let error = "host:1,tls".parse::<RemoteTemporal>().unwrap_err();
        assert!(error.contains("without TLS") && error.contains("docs/load.md"));
    }

    #[test]
    fn every_mix_is_known_by_its_name() {
        for mix in Mix::ALL {
            assert_eq!(mix.name().parse(), Ok(mix));
        }
        assert!(
            "all"
                .parse::<Mix>()
                .unwrap_err()
                .contains("agents, workflows, mixed")
        );
    }

    #[test]
    fn a_load_is_read_as_it_was_written() {
        let plan = LoadPlan {
            temporal: Some("host:1,namespace=x".parse().unwrap()),
            ..LoadPlan::default()
        };
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<LoadPlan>(&text).unwrap(), plan);
    }
}
