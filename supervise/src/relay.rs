//! Signals for what a process stands for.

use std::fmt;

use crate::Signal;

/// Reaches what a process is only the client of, such as a container: the two end together, but a
/// signal that cannot be caught would end the client alone.
pub trait Relay: fmt::Debug + Send + Sync {
    /// Sends `signal` there, and returns once it has arrived. False leaves it to the client, which
    /// gets it then, and may pass it on.
    fn signal(&self, signal: Signal) -> bool;
}
