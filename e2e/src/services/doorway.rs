//! Where a Temporal dev server listens, and where it is found: its services speak to each other over
//! 127.0.0.1, so it cannot listen on any other single address.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use super::free_port;
use crate::{containers::Place, harness::Link};

/// The way to one dev server. It lasts as long as this.
#[derive(Debug)]
pub(crate) struct Doorway {
    place: Place,
    listens: SocketAddr,
    address: String,
    /// From where containers reach this machine to where the server listens.
    _link: Option<Link>,
}

impl Doorway {
    /// The way to a dev server that will run at `place`.
    ///
    /// # Errors
    ///
    /// When the system has no free port.
    pub(crate) fn to(place: Place) -> io::Result<Self> {
        let socket = place.socket()?;
        let (listens, link) = match &place {
            Place::Container(_) => ((Ipv4Addr::UNSPECIFIED, socket.port()).into(), None),
            Place::Process(host) if host.is_loopback() => (socket, None),
            Place::Process(_) => {
                let listens = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
                let link = Link::to(&listens.to_string())?;
                link.restore()?;
                (listens, Some(link))
            }
        };
        let address = match &link {
            Some(link) => link.address(),
            None => socket.to_string(),
        };
        Ok(Self {
            place,
            listens,
            address,
            _link: link,
        })
    }

    /// Where the server runs.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What the server is told to listen on.
    pub(crate) fn listens(&self) -> SocketAddr {
        self.listens
    }

    /// Where it is found, `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}
