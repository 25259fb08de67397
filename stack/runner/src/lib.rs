//! What the runners of the stack have in common: their life as a process, the settings of every
//! runner, the connection to the server, and the signs of life of an activity.

mod attempt;
mod heartbeat;
mod server;
mod service;
mod settings;
mod watch;

pub use attempt::{Standing, standing};
pub use heartbeat::heartbeats;
pub use server::{AuthorizedChannel, Bearer, Server, ServerError};
pub use service::{RunnerSettings, run};
pub use settings::{BackendSettings, max_concurrency, refused};
