//! The verbs of the driver.

mod attached;
mod board;
mod doctor;
mod interrupt;
mod keeper;
mod logs;
mod nextest;
mod probe;
mod progress;
mod run;
mod selection;
mod shared;
mod shuffle;
mod test_phase;
mod up;
mod verdict;
mod warden;

use camino::{Utf8Path, Utf8PathBuf};

pub use attached::{down, require_attached, status};
pub use keeper::keep;
pub use logs::logs;
pub use probe::probe;
pub use run::run;
pub use up::up;
pub use warden::guarded;

/// The folder of the leases of a checkout.
fn leases(root: &Utf8Path) -> Utf8PathBuf {
    root.join("target/e2e/leases")
}
