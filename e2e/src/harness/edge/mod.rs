//! What stands in for the outside world: scripted, recording, and strict. A request that no test
//! expected is refused and fails the test, and so does an expectation that nothing used.

mod gate;
mod hub;
mod link;
mod listening;
mod openai;
mod script;
mod script_llm;

pub use gate::Gate;
pub use hub::{Call, Hub, Received, Response};
pub use link::Link;
pub use script::{Expectation, Reply, Seen};
pub use script_llm::ScriptLlm;

#[cfg(test)]
mod tests;
