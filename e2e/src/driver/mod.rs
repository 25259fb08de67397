//! The verbs of the driver.

mod attached;
mod board;
mod containers;
mod doctor;
mod fit;
mod flaky;
mod hermetic;
mod interrupt;
mod keeper;
mod logs;
mod merge;
mod nextest;
mod probe;
mod programs;
mod progress;
mod reach;
mod run;
mod selection;
mod shared;
mod shuffle;
mod test_phase;
mod tripwires;
mod up;
mod verdict;
mod warden;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

pub use attached::{down, require_attached, status};
pub use containers::images;
pub use flaky::{flaky, polluter, stress};
pub use hermetic::{Border, Cut, try_to_cut_off};
pub use keeper::keep;
pub use logs::logs;
pub use merge::merge;
pub use probe::probe;
pub use programs::with_own_programs;
pub use run::run;
pub use up::up;
pub use warden::guarded;

/// This program's own file.
fn own_program() -> Result<Utf8PathBuf> {
    let program = std::env::current_exe().context("failed to find this program's own file")?;
    Utf8PathBuf::try_from(program).context("this program's path is not UTF-8")
}

/// The folder of the leases of a checkout.
fn leases(root: &Utf8Path) -> Utf8PathBuf {
    root.join("target/e2e/leases")
}
