//! The services a run shares, each with what starts it and what proves that it works.

mod llama_cpp;
mod openai;
mod playground;
mod port;
mod temporal;

pub use llama_cpp::LlamaCpp;
pub use openai::{ModelApi, ModelError};
pub use playground::{AgentRunner, Server, ServerError, server_answers};
pub use port::free_port;
pub use temporal::{Temporal, temporal_answers};
