//! The services a run shares, each with what starts it and what proves that it works.

mod doorway;
mod given_server;
mod llama_cpp;
mod model;
mod ollama;
mod openai;
mod playground;
mod server_health;
mod temporal;

pub(crate) use doorway::Doorway;
pub use given_server::{
    GivenServerError, contract_services, offered_services, whole_server_answers,
};
pub use llama_cpp::LlamaCpp;
pub use model::Model;
pub use ollama::{Ollama, OllamaApi, OllamaError};
pub use openai::{ModelApi, ModelError};
pub use playground::{Runner, Server};
pub use server_health::{ServerError, server_answers, server_queries};
pub use stigmer_supervise::{free_port, says_port_taken};
pub use temporal::{Temporal, temporal_answers};

/// `error` and everything that caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
