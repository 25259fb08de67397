//! A server of somebody else (`--server`): what can be asked of it without changing anything. Whatever is
//! stored there is foreign, may change at any moment, and may be nothing at all: each test holds for any
//! content, and writes down how much it met.

mod commands;
mod kind;
mod pages;
mod records;
mod refusals;
mod service;
mod specimen;
