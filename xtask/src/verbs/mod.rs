//! The verbs, one file each.

pub mod attached;
pub mod doctor;
pub mod e2e;
pub mod nix_check;
pub mod pins;
pub mod report;
pub mod repro;
pub mod test;
pub mod up;
