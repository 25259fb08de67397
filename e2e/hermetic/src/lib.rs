//! A world that ends at this machine, and a watch at its border.
//!
//! [`enter`] moves the calling process, and so whatever it starts, into network and mount namespaces
//! of their own. There is loopback, and one interface that everything else is routed to. Behind it is
//! nobody but a thread of this process, which refuses each packet at once and writes down who sent it
//! where. Nothing can leave, and nothing can try to unseen.
//!
//! What it does not see: a name that is looked up over a Unix socket of a daemon outside (nscd).

mod attempt;
mod environment;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod owner;
mod packet;
#[cfg(target_os = "linux")]
mod watch;

pub use attempt::{Attempt, Sender};
pub use environment::clean;
#[cfg(target_os = "linux")]
pub use linux::{Hermetic, enter};

use serde::Serialize;

/// What the kernel says about the world that a run was in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct World {
    /// The network namespace, as `/proc/<pid>/ns/net` names it.
    pub namespace: String,
    /// The interfaces in it with their addresses.
    pub interfaces: Vec<String>,
}

/// Why there is no such world.
#[derive(Debug, thiserror::Error)]
pub enum NotPossible {
    /// The kernel, or whoever rules over it, does not permit it.
    #[error("{what}: {cause}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It is a matter of Linux.
    #[error("network namespaces need Linux")]
    NotLinux,
}

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Hermetic, enter};
