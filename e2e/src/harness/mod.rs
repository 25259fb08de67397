//! The harness: what a test of the stack is made of.
//!
//! A test is a [`story`]. It starts a private [`Environment`], acts through the drivers — the
//! [`Cli`], the gRPC [`Api`], [`Temporal`], the [`Store`]'s counts — and asserts effects. Everything
//! it does is written into its folder of the results while it happens, and teardown fails a test
//! that passed but left something behind.

mod answer;
mod api;
mod benchmark;
pub mod budget;
mod cli;
mod daemon;
mod edge;
mod environment;
mod evidence;
mod failure;
mod faults;
mod given_server;
mod invariants;
mod journal;
mod manifest;
mod project;
mod record;
mod replay;
mod sanity;
mod secrets;
mod shared_logs;
mod store;
mod story;
mod teardown;
mod temporal;
mod test;
mod wait;

pub use answer::{
    NoAnswer, answer_message, answer_of, check_answer, check_not_empty, greets, own_words,
};
pub use api::{Answer, Api, CallError, Snapshot, Watch};
pub use benchmark::{Anchor, Benchmark};
pub use cli::{Cli, CliError, CliOutput, Line, RunningCli, Stream, Table, execution_id};
pub use daemon::{
    Daemon, DaemonError, HomeProcess, PartReport as DaemonPart, Report as DaemonReport,
    listening_ports, processes_of, remote_ports,
};
pub(crate) use edge::reached_at;
pub use edge::{
    Call, Calls, Cassette, CassetteError, Chunk, End, Exchange, Expectation, Fault, Gate, Hub,
    Link, LlmError, ModelOrigin, Received, Recording, Reply, Response, ScriptLlm, Seen,
};
pub use environment::settings::TEST_VARIABLE;
pub use environment::{Builder, Component, Environment, OwnModel, OwnTemporal, Part, StartError};
pub use failure::{Broken, CheckError, Failure, Outcome, with_causes};
pub use fixture_manifest::{
    Agent as FixtureAgent, BrokenProject, Fixture, Workflow as FixtureWorkflow,
};
pub use given_server::{GivenServer, only_reads};
pub use invariants::ExpectedError;
pub use journal::Journal;
pub use manifest::{Manifest, ManifestError};
pub use project::{Project, ProjectError};
pub use record::{
    BudgetUse, Counters, EnvironmentRecord, FailureRecord, LogTail, PartRecord, PhaseTimes, Stage,
    Step, TestRecord, Verdict, ids_of,
};
pub use store::{Store, StoreError};
pub use story::story;
pub use temporal::{QUEUES, Temporal, TemporalError};
pub use test::{NOBODY, Test};
pub use wait::{Probe, WaitError, eventually};
