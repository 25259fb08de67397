//! The processes of a run: [`stigmer_supervise`], with the mark that every process of a run carries.

use camino::Utf8Path;

pub use stigmer_supervise::*;

/// The environment variable that marks every process of a run, whoever started it.
pub const RUN_VARIABLE: &str = "STIGMER_E2E_RUN";

/// The mark of the run `run_id`.
pub fn mark_of(run_id: &str) -> Mark {
    Mark {
        variable: RUN_VARIABLE,
        owner: run_id.to_owned(),
    }
}

/// [`stigmer_supervise::reconcile`] for runs, by their leases in `folder`.
///
/// # Errors
///
/// When the leases cannot be read.
pub fn reconcile(folder: &Utf8Path) -> anyhow::Result<Reconciled> {
    stigmer_supervise::reconcile(folder, RUN_VARIABLE)
}

/// Processes that outlived their run.
pub mod leftovers {
    use std::{collections::HashSet, io};

    use stigmer_supervise::leftovers as any;

    pub use any::{Leftover, kill};

    use super::RUN_VARIABLE;

    /// Every live process, except this one, that carries the mark of one of `runs`.
    ///
    /// # Errors
    ///
    /// When the system has no `/proc` to look through.
    pub fn find(runs: &HashSet<String>) -> io::Result<Vec<Leftover>> {
        any::find(RUN_VARIABLE, runs)
    }

    /// Like [`find`], but gives what was killed already a moment to go.
    ///
    /// # Errors
    ///
    /// When the system has no `/proc` to look through.
    pub async fn find_lasting(runs: &HashSet<String>) -> io::Result<Vec<Leftover>> {
        any::find_lasting(RUN_VARIABLE, runs).await
    }
}
