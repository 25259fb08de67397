//! Authenticated encryption with keys that the parts of one stack share in a file.
//!
//! A crate of its own because it is optimised also where nothing else is: the cipher is generic
//! code, compiled with whoever uses it, and a hundred times slower when it is not.

mod keys;
mod seal;

pub use keys::{KeyError, Keys};
pub use seal::{OpenError, SealError, Sealed};
