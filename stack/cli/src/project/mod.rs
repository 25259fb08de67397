//! A project: its Stigmer.yaml, the program it names, and the resources that the program describes.

mod cargo;
mod go;
mod output;
mod process;
mod synthesis;
mod yaml;

pub use output::{Resources, parse_agent, parse_workflow};
pub use synthesis::{Synthesis, synthesize};
pub use yaml::{Project, ProjectError, Runtime};
