//! The programs that this suite's run has for itself: a build replaces those in the target folder
//! whenever it is asked to. Where there is no such run, those of the target folder.

use std::io;

use camino::Utf8PathBuf;

/// This suite.
pub fn suite() -> io::Result<Utf8PathBuf> {
    let suite = std::env::current_exe()?;
    Utf8PathBuf::from_path_buf(suite)
        .map_err(|path| io::Error::other(format!("{} is not UTF-8", path.display())))
}

/// The driver.
pub fn driver() -> Utf8PathBuf {
    beside("stigmer-e2e", env!("CARGO_BIN_EXE_stigmer-e2e"))
}

/// A program that speaks MCP on its standard input and output.
pub fn mcp_server() -> Utf8PathBuf {
    beside(
        "fixture-mcp-server",
        env!("CARGO_BIN_EXE_fixture-mcp-server"),
    )
}

/// The program `name` beside this one, or as it was `built`.
fn beside(name: &str, built: &str) -> Utf8PathBuf {
    let own = suite().map(|suite| suite.with_file_name(name));
    own.ok()
        .filter(|own| own.exists())
        .unwrap_or_else(|| built.into())
}
