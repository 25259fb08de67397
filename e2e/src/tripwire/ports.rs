//! Listening where nobody may connect.

use std::{
    fs::File,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use camino::Utf8Path;
use serde::Serialize;

use super::{Culprit, Trip, file_of};

/// How one port is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The port.
    pub port: u16,
    /// Why it is not: somebody else has it.
    pub taken_by: Option<String>,
}

/// The ports that are listened on, until the process ends.
#[derive(Debug)]
pub struct Ports {
    /// Each of them, and whether it is.
    pub watched: Vec<Watched>,
}

impl Ports {
    /// Listens on each of `ports` of 127.0.0.1 that is free, and writes who connects into the results.
    ///
    /// # Errors
    ///
    /// When the results cannot be written, or there are no threads left.
    pub fn watch(ports: &[u16], results: &Utf8Path) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(file_of(results))?;
        let file = Arc::new(Mutex::new(file));
        let mut watched = Vec::new();
        for port in ports {
            let taken_by = match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)) {
                Ok(listener) => {
                    let file = file.clone();
                    thread::Builder::new()
                        .name(format!("tripwire {port}"))
                        .spawn(move || accept(&listener, &file))?;
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            watched.push(Watched {
                port: *port,
                taken_by,
            });
        }
        Ok(Self { watched })
    }
}

fn accept(listener: &TcpListener, file: &Mutex<File>) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    for stream in listener.incoming() {
        // Whoever went away before it was accepted did not get anywhere.
        let Ok(stream) = stream else { continue };
        let Ok(peer) = stream.peer_addr() else {
            continue;
        };
        // The connection stays open until its other end is known.
        let trip = trip(port, peer);
        drop(stream);
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk ends the run elsewhere.
        let _ = file.write_all(format!("{trip}\n").as_bytes());
    }
}

fn trip(port: u16, peer: SocketAddr) -> serde_json::Value {
    let trip = Trip {
        port,
        at: stigmer_api::time::rfc3339_now(),
        culprit: Culprit::at(peer),
    };
    serde_json::to_value(trip).expect("numbers and texts are JSON")
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpStream,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn whoever_connects_is_written_down_and_a_taken_port_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap().port();
        let _holds = TcpListener::bind(("127.0.0.1", taken));
        let free = stigmer_supervise::free_port().unwrap();
        let ports = Ports::watch(&[free, taken], results).unwrap();
        assert_eq!(ports.watched[0].taken_by, None);
        let stream = TcpStream::connect(("127.0.0.1", free)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while super::super::trips(results).is_empty() && Instant::now() < deadline {
            thread::yield_now();
        }
        drop(stream);
        let trips = super::super::trips(results);
        assert_eq!(trips.len(), 1);
        assert_eq!(trips[0].port, free);
        let culprit = trips[0].culprit.as_ref().unwrap();
        assert_eq!(culprit.pid, std::process::id());
    }
}
