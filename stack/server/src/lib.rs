//! `stigmer-server`: the API of the stack over SQLite and Temporal. See `docs/contract/behaviour.md`.
//!
//! `store` knows rows, `pipeline` what requests have in common, `kinds` what differs between kinds,
//! `executions` how they come to their end, `temporal` the workflows behind them, `grpc` the wire.

mod app;
mod artifacts;
mod blocking;
mod executions;
mod grpc;
mod kinds;
mod mask;
mod pipeline;
mod requests;
mod settings;
mod state;
mod store;
mod temporal;
#[cfg(test)]
mod testing;

pub use app::run;
pub use settings::Settings;
pub use temporal::replayer;
