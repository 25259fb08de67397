//! Temporal, as the stack uses it: connecting, health, encoding and encryption of payloads, hosting workers, proving
//! that a queue does work, and looking at a namespace from outside.
//!
//! This is the one crate that instantiates the SDK's client and worker. Doing so costs most of a
//! minute of compile time, so no other crate calls `Client::new` or `Worker::new` itself.

mod admin;
mod connect;
mod encryption;
mod error_text;
mod health;
mod payload;
mod ping;
mod replay;
mod signal;
mod start;
mod target;
mod worker;

pub use admin::{
    AdminError, Execution, PollerInfo, QueueKind, create_namespace, history_json,
    list_workflow_ids, pending_attempt, pollers,
};
pub use connect::{ConnectError, connect, connect_until, in_namespace};
pub use encryption::{DecodeError, Encryption, EncryptionError, HistoryError, decode_history};
pub use health::{HealthError, check_health, until_healthy};
pub use payload::{Arguments, Proto};
pub use ping::{Ping, PingActivities, PingError, ping};
pub use replay::{ReplayError, Replayed, Replayer, replay_if_asked};
pub use signal::{SignalError, signal_workflow};
pub use start::{Start, StartError, start_workflow};
pub use stigmer_cipher::{KeyError, Keys};
pub use target::Target;
pub use temporalio_client::Client;
pub use worker::{StopError, WorkerError, WorkerSpec, WorkersHandle, spawn_workers};
