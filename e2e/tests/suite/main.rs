//! The suite: one test per promise of `docs/contract/acceptance.md`, named after the scenario's id
//! and what is promised. Black box: it knows the CLI, the gRPC API, Temporal's API, signals, the files
//! it handed over, and the SQLite file, and nothing inside.

mod agents;
mod apply;
mod chaos;
mod containers;
mod daemon;
mod edges;
mod errors;
mod extensions;
mod fixture;
mod fixtures;
mod flakiness;
mod full_execution;
mod given;
mod history;
mod isolation;
mod load;
mod logs;
mod long_running;
mod own;
mod pipeline;
mod prerequisites;
mod remote;
mod run;
mod smoke;
mod specimen;
mod speed;
mod streaming;
mod temporal_outage;
mod then;
mod worker;
mod workflow_agents;
