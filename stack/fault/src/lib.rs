//! Deliberate faults: places where the stack can be told to break one of its promises, so that the
//! tests of that promise can be seen to fail.
//!
//! A place is [`inject!`]. Without the feature `faults` it expands to nothing at all; with it, it does
//! its damage in a process whose environment names its fault in `STIGMER_FAULT`, and only there.

mod catalogue;

pub use catalogue::Fault;

/// What `--version` says about a build with faults; empty in a build for use.
#[cfg(not(feature = "faults"))]
pub const BUILD_MARK: &str = "";
/// What `--version` says about a build with faults; empty in a build for use.
#[cfg(feature = "faults")]
pub const BUILD_MARK: &str = ", with faults";

/// `inject!(FaultName, { damage })`: does the damage if the fault is armed. This build has no faults.
#[cfg(not(feature = "faults"))]
#[macro_export]
macro_rules! inject {
    ($fault:ident, $damage:block) => {};
}

/// `inject!(FaultName, { damage })`: does the damage if the fault is armed.
#[cfg(feature = "faults")]
#[macro_export]
macro_rules! inject {
    ($fault:ident, $damage:block) => {
        if $crate::is_armed($crate::Fault::$fault) $damage
    };
}

#[cfg(feature = "faults")]
mod armed;
#[cfg(feature = "faults")]
pub use armed::is_armed;
