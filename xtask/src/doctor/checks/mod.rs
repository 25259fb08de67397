//! The checks, one function each.

mod programs;
mod resources;

pub use programs::{browser, c_compiler, component, engine, git, pip, python, rust};
pub use resources::{build_space, cache_folder, clock, cores, memory, results_folder};

use super::{Remedy, Row, State};
use crate::{
    build::{Built, Extent},
    provision::Provisioned,
};

/// The pinned tools of a run, all of which have been proven by now.
pub fn rows_of_tools(tools: &[Provisioned]) -> Vec<Row> {
    let row = |tool: &Provisioned| {
        let found = format!("{} ({})", tool.version, tool.source);
        Row::ok(tool.tool.name(), found, "the tests")
    };
    tools.iter().map(row).collect()
}

/// The binaries of a build.
pub fn rows_of_binaries(built: &Built, extent: Extent) -> Vec<Row> {
    let rows = built.binaries(extent).into_iter().map(|binary| {
        let name = binary.file_name().unwrap_or(binary.as_str());
        let row = Row::ok(name, binary.as_str(), "the tests");
        match binary.is_file() {
            true => row,
            false => row.lacks(State::Missing, Remedy::Build),
        }
    });
    rows.collect()
}
