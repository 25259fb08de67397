//! A run against a stack that has deliberate faults compiled in.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// What a part says after its build id when it has faults compiled in.
pub const FAULTS_MARK: &str = "with faults";

/// That the stack of a run has faults compiled in, and which of them is armed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Faults {
    /// The name of the one that is armed; nothing in the control run.
    pub armed: Option<String>,
    /// Where a process writes that it came by its fault.
    pub trace: Utf8PathBuf,
}

impl Faults {
    /// What every process of the stack gets in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        self.armed.as_ref().map_or_else(Vec::new, |fault| {
            vec![
                variable("STIGMER_FAULT", fault),
                variable("STIGMER_FAULT_TRACE", self.trace.as_str()),
            ]
        })
    }
}
