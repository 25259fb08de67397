//! The verbs, one file each.

pub mod archive;
pub mod attached;
pub mod bench;
pub mod cassettes;
pub mod chaos;
pub mod culprit;
pub mod doctor;
pub mod e2e;
pub mod flaky;
pub mod images;
pub mod load;
pub mod merge;
pub mod mutants;
pub mod nix_check;
pub mod pins;
pub mod polluter;
pub mod report;
pub mod repro;
pub mod test;
pub mod up;
