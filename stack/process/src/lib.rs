//! What every long-running part of the stack does the same way: settings from the environment,
//! logging, announcing readiness, and ending on a signal (`docs/contract/processes.md`); and how they
//! want a Temporal dev server.

mod arguments;
mod build_id;
mod dev_server;
mod logging;
mod ready;
mod run;
mod settings;
mod signal;

pub use build_id::{build_id, version};
pub use dev_server::{DEV_SERVER, NO_VERSION_CHECK};
pub use ready::{AnnounceError, Ready, announce};
pub use run::run;
pub use settings::{SettingError, number, text, text_or};
pub use signal::{Signals, shutdown_requested};

use logging::init_logging;
