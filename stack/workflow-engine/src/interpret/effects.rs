//! What the interpreter asks of the world around it. Everything that is not a pure function of the
//! workflow and its input goes through here, so that a replay can answer the same.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::error::{Fault, Stop};
use crate::model::{ActivityCall, AgentCall, Event, GrpcCall, HttpCall, RunWorkflow};

/// A call to something outside, its expressions evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The id of the task that makes it, unique in the execution.
    pub task_id: String,
    /// The name of the task that makes it.
    pub task: String,
    /// How long it may take, attempts included; the kind's own limit when absent.
    pub timeout: Option<Duration>,
    /// What is called.
    pub call: Outgoing,
}

/// What is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// An HTTP request.
    Http(HttpCall),
    /// A unary gRPC call.
    Grpc(GrpcCall),
    /// A Temporal activity.
    Activity(ActivityCall),
    /// An agent.
    Agent(AgentCall),
    /// Another workflow.
    Workflow(RunWorkflow),
}

/// Events a task waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The events.
    pub events: Vec<Event>,
    /// Whether all of them are needed, or the first is enough.
    pub all: bool,
    /// How long.
    pub timeout: Duration,
}

/// The outcome of an effect.
pub type Effect<T, I> = Result<T, Stop<Fault, I>>;

/// The world around the interpreter. Clones act on the same world.
pub trait Effects: Clone + 'static {
    /// Why a workflow has to stop although none of its tasks failed, such as its cancellation.
    type Interrupt: 'static;

    /// The workflow's time.
    fn now(&self) -> Timestamp;

    /// A random number.
    fn random(&self) -> u64;

    /// The record of tasks has changed.
    fn changed(&self);

    /// Effects that can be cancelled apart from these, for one branch.
    fn branch(&self) -> Self;

    /// Cancels whatever was asked of these effects and their branches and has not ended.
    fn cancel(&self);

    /// Calls out and returns the answer.
    fn call(&self, request: Request) -> impl Future<Output = Effect<Json, Self::Interrupt>>;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = Effect<(), Self::Interrupt>>;

    /// Lets the world have a turn, and goes on as soon as it had one.
    fn take_turns(&self) -> impl Future<Output = Effect<(), Self::Interrupt>>;

    /// Waits for events and returns what came with them, by id; `None` when time is over.
    fn receive(
        &self,
        awaited: Awaited,
    ) -> impl Future<Output = Effect<Option<BTreeMap<String, Json>>, Self::Interrupt>>;
}
