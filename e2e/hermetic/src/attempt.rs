//! Attempts to leave, alike ones together.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
};

use serde::Serialize;

/// Somebody tried to reach another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// `tcp`, `udp`, `icmp`, or the number of another protocol.
    pub protocol: String,
    /// The address, with its port where the protocol has ports.
    pub to: String,
    /// The name that was looked up, when this was a question to a name server.
    pub name: Option<String>,
    /// Who.
    #[serde(flatten)]
    pub by: Sender,
    /// How often the same was tried.
    pub count: usize,
}

/// Who sent a packet, as far as the system could still tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sender {
    /// The process's command line.
    pub program: Option<String>,
    /// The process; the first of those that tried the same.
    pub pid: Option<u32>,
    /// The test that it was started for.
    pub test: Option<String>,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.by.program.as_deref().unwrap_or("an unknown process");
        write!(f, "{program}")?;
        if let Some(test) = &self.by.test {
            let function = test.rsplit("::").next().unwrap_or(test);
            write!(f, " (of {function})")?;
        }
        write!(f, " → {} {}", self.protocol, self.to)?;
        if let Some(name) = &self.name {
            write!(f, " for {name}")?;
        }
        match self.count {
            1 => Ok(()),
            count => write!(f, ", {count} times"),
        }
    }
}

/// One way from a port of this machine to somebody else. Packets on the same way are one attempt, sent
/// again because nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The protocol's number.
    pub protocol: u8,
    /// The port here, where the protocol has ports.
    pub from: Option<u16>,
    /// Whom the packet is for.
    pub to: IpAddr,
    /// The port there.
    pub port: Option<u16>,
}

impl Flow {
    /// The protocol as people name it.
    fn protocol(&self) -> String {
        match self.protocol {
            1 | 58 => "icmp".to_owned(),
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            other => format!("protocol {other}"),
        }
    }

    fn destination(&self) -> String {
        match self.port {
            Some(port) => SocketAddr::new(self.to, port).to_string(),
            None => self.to.to_string(),
        }
    }
}

/// All attempts so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    flows: HashSet<(Flow, Option<String>)>,
    attempts: Vec<Attempt>,
}

impl Tally {
    /// Whether a packet on this way, about this name, is no repetition.
    pub fn is_new(&self, flow: &Flow, name: Option<&str>) -> bool {
        !self
            .flows
            .contains(&(flow.clone(), name.map(str::to_owned)))
    }

    /// Counts an attempt.
    pub fn add(&mut self, flow: Flow, name: Option<String>, by: Sender) {
        let attempt = Attempt {
            protocol: flow.protocol(),
            to: flow.destination(),
            name: name.clone(),
            by,
            count: 1,
        };
        self.flows.insert((flow, name));
        let alike = |other: &&mut Attempt| {
            let by = Sender {
                pid: attempt.by.pid,
                ..other.by.clone()
            };
            let same_way = (&other.protocol, &other.to) == (&attempt.protocol, &attempt.to);
            same_way && other.name == attempt.name && by == attempt.by
        };
        match self.attempts.iter_mut().find(alike) {
            Some(other) => other.count += 1,
            None => self.attempts.push(attempt),
        }
    }

    /// The attempts, the first ones first.
    pub fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(from: u16) -> Flow {
        Flow {
            protocol: 6,
            from: Some(from),
            to: [192, 0, 2, 7].into(),
            port: Some(443),
        }
    }

    #[test]
    fn a_packet_sent_again_is_no_new_attempt_and_a_new_connection_is() {
        let mut tally = Tally::default();
        let by = Sender {
            program: Some("curl x".into()),
            pid: Some(4),
            test: Some("apply::app_01".into()),
        };
        tally.add(flow(1000), None, by.clone());
        assert!(!tally.is_new(&flow(1000), None));
        assert!(tally.is_new(&flow(1001), None));
        // Another process of the same program, for the same test.
        let by = Sender { pid: Some(5), ..by };
        tally.add(flow(1001), None, by);
        let attempts = tally.into_attempts();
        let told: Vec<_> = attempts.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["curl x (of app_01) → tcp 192.0.2.7:443, 2 times"]);
    }

    #[test]
    fn a_question_for_a_name_says_the_name() {
        let mut tally = Tally::default();
        let to_name_server = Flow {
            protocol: 17,
            port: Some(53),
            ..flow(9)
        };
        tally.add(to_name_server, Some("a.test".into()), Sender::default());
        assert_eq!(
            tally.into_attempts()[0].to_string(),
            "an unknown process → udp 192.0.2.7:53 for a.test"
        );
    }
}
