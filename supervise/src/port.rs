//! A port for a program that cannot choose one itself.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

/// A free port of 127.0.0.1 that the system gives to nobody who asks for *any* port during the next
/// minute: a connection over it was just closed from this side, so it is in TIME_WAIT. A server that
/// asks for this very port gets it.
pub fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    let (server, _) = listener.accept()?;
    // The side that closes first is the one that waits.
    drop(server);
    drop(client);
    Ok(address.port())
}

/// Whether a program says at the end of its log that somebody else has its port.
pub fn says_port_taken(log_tail: &[String]) -> bool {
    log_tail
        .iter()
        .any(|line| line.to_lowercase().contains("address already in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_can_be_bound_by_whoever_asks_for_it() {
        let port = free_port().unwrap();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn the_port_is_given_to_nobody_who_asks_for_any() {
        let port = free_port().unwrap();
        let others: Vec<_> = (0..200)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
            .collect();
        assert!(
            others
                .iter()
                .all(|other| other.local_addr().unwrap().port() != port)
        );
    }
}
