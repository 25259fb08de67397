//! Into the namespaces, with the watch at their border.

mod namespace;
mod netlink;
mod resolver;
mod tun;

use std::{fs, io};

use camino::Utf8Path;

use crate::{Attempt, NotPossible, World, watch::Watch};

/// The interface that leads out.
const OUT: &str = "out0";
const LOOPBACK: &str = "lo";
/// Kept for documentation (RFC 5737, RFC 3849), so nobody's: this side of the interface, and the name
/// server that everybody here is told of.
const OWN_4: [u8; 4] = [192, 0, 2, 1];
const OWN_6: &str = "2001:db8::1";
const NAME_SERVER: &str = "192.0.2.53";

/// This process is in a world of its own, for as long as it lives.
#[derive(Debug)]
pub struct Hermetic {
    world: World,
    watch: Watch,
}

/// Moves this process into namespaces of its own, and starts the watch at the border. Files that take
/// the place of the system's go to `folder`. `test_variable` names the test that a process was started
/// for, in its environment.
///
/// To be called before any thread is started: a thread would stay behind.
///
/// # Errors
///
/// When the system does not permit it; the process may be in some of the namespaces then, and is good
/// for nothing but to say so.
pub fn enter(folder: &Utf8Path, test_variable: &'static str) -> Result<Hermetic, NotPossible> {
    step("make network and mount namespaces", namespace::unshare())?;
    let tun = step("open /dev/net/tun", tun::open())?;
    step("make an interface that leads out", tun::name(&tun, OUT))?;
    let mut interfaces = Vec::new();
    step(
        "bring the interfaces up",
        || -> io::Result<()> {
            let mut route = netlink::Route::open()?;
            route.up(LOOPBACK)?;
            interfaces.push(format!("{LOOPBACK} 127.0.0.1 ::1"));
            route.up(OUT)?;
            route.address(OUT, &OWN_4)?;
            route.default_through(OUT, netlink::Family::V4)?;
            // Where IPv6 is switched off, there is no way out by it either.
            let own_6: std::net::Ipv6Addr = OWN_6.parse().map_err(io::Error::other)?;
            let by_6 = route
                .address(OUT, &own_6.octets())
                .and_then(|()| route.default_through(OUT, netlink::Family::V6));
            let own_4 = std::net::Ipv4Addr::from(OWN_4);
            interfaces.push(match by_6 {
                Ok(()) => format!("{OUT} {own_4} {OWN_6}"),
                Err(_) => format!("{OUT} {own_4}"),
            });
            Ok(())
        }(),
    )?;
    step(
        "put a name server beyond the border",
        resolver::install(folder, NAME_SERVER),
    )?;
    let namespace = step("name the namespace", fs::read_link("/proc/self/ns/net"))?;
    let watch = step("watch the border", Watch::start(tun, test_variable))?;
    Ok(Hermetic {
        world: World {
            namespace: namespace.to_string_lossy().into_owned(),
            interfaces,
        },
        watch,
    })
}

fn step<T>(what: &'static str, done: io::Result<T>) -> Result<T, NotPossible> {
    done.map_err(|cause| NotPossible::Refused { what, cause })
}

impl Hermetic {
    /// What it is like here.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Ends the watch; returns every attempt to leave up to now.
    pub fn attempts(self) -> Vec<Attempt> {
        self.watch.end()
    }
}
