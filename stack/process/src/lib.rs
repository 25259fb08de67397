//! What every long-running part of the stack does the same way: settings from the environment,
//! logging, announcing readiness, and ending on a signal (`docs/contract/processes.md`).

mod arguments;
mod build_id;
mod logging;
mod ready;
mod run;
mod settings;
mod signal;

pub use build_id::build_id;
pub use ready::{AnnounceError, Ready, announce};
pub use run::run;
pub use settings::{SettingError, number, text, text_or};
pub use signal::shutdown_requested;

use logging::init_logging;
