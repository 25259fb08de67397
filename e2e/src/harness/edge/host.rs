//! The address of this machine that the stack under test can reach.

use std::{net::Ipv4Addr, sync::OnceLock};

static HOST: OnceLock<Ipv4Addr> = OnceLock::new();

/// Says once, before anything listens, that the stack reaches this machine at `address`.
pub(crate) fn reached_at(address: Ipv4Addr) {
    // A process has one session, and so one address.
    let _ = HOST.set(address);
}

/// Where the edges listen: this machine alone, unless a part of the stack is in a container.
pub(crate) fn host() -> Ipv4Addr {
    *HOST.get().unwrap_or(&Ipv4Addr::LOCALHOST)
}
