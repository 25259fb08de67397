//! What takes many rounds, several runs, or a machine that has better things to do.

mod polluter;
mod shards;
mod statistics;
