//! Process supervision: start, prove ready, watch, stop, and leave nothing behind.
//!
//! The decisions are pure state machines: [`lifecycle`] for one process and [`machine`] for a set
//! of services with dependencies. Around them lie two thin shells: [`Child`] for one process (what
//! a test's private environment is made of) and [`Supervisor`] for a set. Both stand on
//! [`Process`], which owns the operating system's side: a process group of its own that dies with
//! its owner.
//!
//! ```no_run
//! # use stigmer_supervise::{Child, Readiness, ServiceError, Spec, StopPolicy};
//! # async fn example() -> Result<(), ServiceError> {
//! let spec = Spec::new("stigmer-server", "/path/to/stigmer-server", "/results/server.log").env("GRPC_PORT", "0");
//! let mut child = Child::spawn(spec)?;
//! let after = child.wait_ready(|| async { Readiness::NotYet("no ready file".to_owned()) }).await?;
//! let stopped = child.stop(StopPolicy::default()).await?;
//! # let _ = (after, stopped.forced);
//! # Ok(())
//! # }
//! ```
//!
//! Every service carries a [`Mark`] in its environment, so that [`leftovers`] finds whatever escapes. Nothing
//! here survives a SIGKILL of its owner on Linux, except processes that left their parent; a [warden](watch)
//! catches those.

mod backoff;
mod child;
mod error;
mod handle;
mod holder;
mod identity;
mod lease;
pub mod leftovers;
pub mod lifecycle;
pub mod machine;
mod owner;
mod port;
mod process;
mod relay;
mod run;
mod service;
mod spawn;
mod spec;
mod warden;

pub use child::Child;
pub use error::{Failure, ServiceError, log_tail};
pub use holder::PortHolder;
pub use identity::Identity;
pub use lease::{Lease, LeasedProcess, Reconciled, leased, reconcile};
pub use leftovers::Mark;
pub use lifecycle::{HealthPolicy, Phase, Readiness, RestartPolicy, Stopped};
pub use owner::end_with;
pub use port::{free_port, says_port_taken};
pub use process::Process;
pub use relay::Relay;
pub use run::Supervisor;
pub use rustix::process::Signal;
pub use service::{Service, ServiceStarted, ServiceState, ServiceStopped};
pub use spawn::{SpawnError, spawn_bound};
pub use spec::{Spec, StopPolicy};
pub use warden::{Aftermath, watch};
