//! Section 17 of the acceptance list, and what sections 3 and 5 say of agents at work: their tools,
//! skills, sub-agents, and memory.

mod at_work;
mod limits;
mod mcp;
mod memory;
mod misbehaving;
mod secrets;
mod service;
mod skills;
mod sub_agents;
