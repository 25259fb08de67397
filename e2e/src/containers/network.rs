//! The network of a run: its containers and this machine, and no way out.

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    ops::Range,
};

use serde::{Deserialize, Serialize};

use super::{
    engine::{Engine, EngineError},
    owned::Owner,
};

/// How many address ranges are tried: others may have networks, too.
const TRIES: u8 = 32;
/// The numbers of addresses that are given away here; the last one is the network's own.
const UPPER_HALF: Range<u16> = 1 << 15..u16::MAX;
/// How often the system is asked for a port in that range: its usual one begins there.
const PORTS: usize = 200;

/// An internal network `10.<range>.0.0/16`. This machine is its gateway. What the engine gives away
/// by itself is in its lower half; the upper half is given away by [`Network::address`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    range: u8,
}

impl Network {
    /// Makes the network of `owner`.
    ///
    /// # Errors
    ///
    /// When the engine has no range left for it.
    pub fn create(engine: &Engine, owner: &Owner) -> Result<Self, EngineError> {
        let name = format!("stigmer-e2e-{}", owner.run_id);
        let first = name
            .bytes()
            .fold(0, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let mut tries = (0..TRIES).map(|n| Self {
            name: name.clone(),
            range: first.wrapping_add(n),
        });
        let labels = owner.labels();
        let create = |network: &Self| {
            let (subnet, gateway) = (network.text("0.0/16"), network.gateway().to_string());
            let given = network.text("0.0/17");
            let mut arguments = vec!["network", "create", "--internal", "--subnet", &subnet];
            arguments.extend(["--gateway", &gateway, "--ip-range", &given]);
            arguments.extend(labels.iter().flat_map(|label| ["--label", label]));
            arguments.push(&network.name);
            engine.ask(&arguments).map(drop)
        };
        let mut network = tries.next().expect("there is more than one try");
        loop {
            match (create(&network), tries.next()) {
                (Ok(()), _) => return Ok(network),
                (Err(EngineError::Refused { reason, .. }), Some(next))
                    if reason.contains("overlap") =>
                {
                    network = next;
                }
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// This machine, as its containers see it.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.range, 0, 1)
    }

    /// An address for one container, and a port there.
    ///
    /// # Errors
    ///
    /// When the system has no free port.
    pub fn address(&self) -> io::Result<Address> {
        // A port that the system gives to one process of this machine at a time numbers the address.
        for _ in 0..PORTS {
            let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = held.local_addr()?.port();
            if !UPPER_HALF.contains(&port) {
                continue;
            }
            let [high, low] = port.to_be_bytes();
            return Ok(Address {
                socket: SocketAddrV4::new(Ipv4Addr::new(10, self.range, high, low), port),
                _held: held,
            });
        }
        Err(io::Error::other("the system gives no ports above 32768"))
    }

    fn text(&self, end: &str) -> String {
        format!("10.{}.{end}", self.range)
    }
}

/// An address of a network that is nobody else's as long as this lives.
#[derive(Debug)]
pub struct Address {
    /// The address and a port.
    pub socket: SocketAddrV4,
    _held: TcpListener,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn addresses_that_are_held_are_different_and_in_the_upper_half() {
        let network = Network {
            name: "n".to_owned(),
            range: 7,
        };
        let addresses: Vec<_> = (0..50).map(|_| network.address().unwrap()).collect();
        let distinct: HashSet<_> = addresses.iter().map(|it| it.socket.ip()).collect();
        assert_eq!(distinct.len(), addresses.len());
        for address in &addresses {
            let [ten, range, high, _] = address.socket.ip().octets();
            assert_eq!((ten, range), (10, 7));
            assert!(high >= 128, "{}", address.socket);
        }
    }
}
