//! Limits that several parts of the stack have to agree on.

use std::time::Duration;

/// How long the tasks of one workflow execution may take altogether, waits included. Lost runners are
/// noticed by their heartbeats, so this only ends what nobody ends otherwise.
pub const WORKFLOW_EXECUTION: Duration = Duration::from_secs(24 * 60 * 60);
