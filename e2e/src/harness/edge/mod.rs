//! What stands between the stack and the outside world: scripted, recording, and strict. A request that
//! no test expected is refused and fails the test, and so does an expectation that nothing used.

mod gate;
mod host;
mod hub;
mod link;
mod listening;
mod llm;

pub use gate::Gate;
pub(crate) use host::{host, reached_at};
pub use hub::{Call, Hub, Received, Response};
pub use link::{Calls, Fault, Link};
pub use llm::{
    Cassette, CassetteError, Chunk, End, Exchange, Expectation, LlmError, ModelOrigin, Recording,
    Reply, ScriptLlm, Seen,
};
pub(crate) use llm::{Llm, Mode, NewCassette};
