//! Log lines: for people when `ENV=local`, one JSON object per line otherwise, always on stderr.

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// Libraries that log what their caller is told as well, and tells of in the terms of the stack: each
/// retry of each poll while Temporal is away, and each MCP server that cannot be reached.
const QUIET: &str = "temporalio_client::retry=off,rmcp::transport::worker=off";

/// Sets up logging from `LOG_LEVEL` (default `info`; unknown names count as `info`) and `ENV`
/// (default `local`). Libraries stay at `warn` unless the level is `debug` or `trace`.
///
/// # Panics
///
/// When called twice in one process.
pub fn init_logging() {
    let level = match crate::text_or("LOG_LEVEL", "info").to_lowercase().as_str() {
        level @ ("trace" | "debug" | "info" | "warn" | "error") => level.to_owned(),
        _ => "info".to_owned(),
    };
    let filter = match level.as_str() {
        "trace" | "debug" => EnvFilter::new(format!(
            "info,{QUIET},stigmer={level},stigmer_server={level},stigmer_agent_runner={level},stigmer_workflow_runner={level},stigmer_temporal={level},stigmer_runner={level}"
        )),
        level => EnvFilter::new(format!(
            "warn,{QUIET},stigmer_server={level},stigmer_agent_runner={level},stigmer_workflow_runner={level},stigmer_temporal={level},stigmer_runner={level},stigmer_process={level}"
        )),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    if crate::text_or("ENV", "local") == "local" {
        builder.with_ansi(false).init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
