//! Servers that behave, and servers that do not: programs that speak MCP as far as a test needs it.

use std::time::Instant;

use serde_json::Map;
use stigmer_api::agent::{HttpServer, StdioServer, mcp_server_definition::ServerType};

use super::*;
use crate::{environment::tests::environment, tools::ToolError, transcript::Transcript};

const LIMITS: Limits = Limits {
    start: Duration::from_secs(2),
    call: Duration::from_secs(2),
};

/// Answers the handshake and the list with the tools `a` and `b`, then does what a script says with
/// the call, whose id is in `$id`.
fn server(name: &str, on_call: &str) -> McpServerDefinition {
    let script = format!(
        r#"
        reply() {{ printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' "$id" "$1"; }}
        tool() {{ printf '{{"name":"%s","description":"Does %s.","inputSchema":{{"type":"object"}}}}' "$1" "$1"; }}
        text() {{ reply "{{\"content\":[{{\"type\":\"text\",\"text\":\"$1\"}}]}}"; }}
        while read -r line; do
            id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
            case "$line" in
                *'"initialize"'*) reply '{{"protocolVersion":"2025-06-18","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"s","version":"1"}}}}' ;;
                *'"tools/list"'*) reply "{{\"tools\":[$(tool a),$(tool b)]}}" ;;
                *'"tools/call"'*) {on_call} ;;
            esac
        done"#
    );
    stdio(name, &script)
}

fn stdio(name: &str, script: &str) -> McpServerDefinition {
    McpServerDefinition {
        name: name.to_owned(),
        server_type: Some(ServerType::Stdio(StdioServer {
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned().replace("${", "$${")],
            env_placeholders: [("TOKEN".to_owned(), "${TOKEN}".to_owned())].into(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

async fn start(definitions: &[McpServerDefinition]) -> (Servers, Vec<String>) {
    let environment = environment(&[("TOKEN", "tok-123", true)]);
    let folder = std::env::temp_dir();
    Servers::start(definitions, &environment, &folder, &LIMITS).await
}

/// Calls tool `a` of the only server.
async fn call(servers: &Servers) -> Result<String, ToolError> {
    let key = Transcript::begin("").call_asked(
        &crate::transcript::Speaker::Agent,
        &crate::llm::ToolRequest::default(),
        &servers.tools()[0].component(),
    );
    servers.tools()[0].call(Map::new(), key).await
}

fn names(tools: &[Arc<dyn Tool>]) -> Vec<&str> {
    tools.iter().map(|tool| tool.spec().name.as_str()).collect()
}

#[tokio::test]
async fn a_server_offers_its_tools_and_answers_calls() {
    let (servers, warnings) = start(&[server("s", "text \"hello $TOKEN\"")]).await;
    assert_eq!(warnings, [""; 0]);
    assert_eq!(names(&servers.tools()), ["s__a", "s__b"]);
    assert_eq!(call(&servers).await.unwrap(), "hello tok-123");
    servers.stop().await;
    let error = call(&servers).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the MCP server s could not call a"),
        "{error}"
    );
}

#[tokio::test]
async fn only_the_tools_that_are_allowed_are_offered() {
    let mut definition = server("s", "text x");
    definition.enabled_tools = vec!["b".to_owned(), "c".to_owned()];
    let (servers, warnings) = start(&[definition]).await;
    assert_eq!(names(&servers.tools()), ["s__b"]);
    assert!(
        warnings.len() == 1 && warnings[0].contains("no tool \"c\""),
        "{warnings:?}"
    );
    let (selected, missing) = servers.tools_of("s", &["a".to_owned()]);
    assert!(
        selected.is_empty(),
        "a selection cannot widen what the server is allowed"
    );
    assert!(missing[0].contains("no tool \"a\""), "{missing:?}");
    servers.stop().await;
}

#[tokio::test]
async fn servers_that_do_not_start_are_named_and_the_others_work() {
    let mut unset = stdio("unset", "true");
    if let Some(ServerType::Stdio(server)) = &mut unset.server_type {
        server.args.push("${NOWHERE}".to_owned());
    }
    let mut absent = stdio("absent", "");
    if let Some(ServerType::Stdio(server)) = &mut absent.server_type {
        server.command = "no-such-program".to_owned();
    }
    let http = McpServerDefinition {
        name: "http".to_owned(),
        server_type: Some(ServerType::Http(HttpServer {
            url: "http://127.0.0.1:1/mcp?key=${TOKEN}".to_owned(),
            ..Default::default()
        })),
        ..Default::default()
    };
    let begin = Instant::now();
    let (servers, warnings) = start(&[
        unset,
        absent,
        stdio("silent", "sleep 1000"),
        stdio("dying", "echo \"no key in $TOKEN\" >&2; exit 3"),
        stdio("flooding", "yes"),
        http,
        server("good", "text x"),
        server("good", "text y"),
    ])
    .await;
    assert!(
        begin.elapsed() < 2 * LIMITS.start,
        "they start side by side"
    );
    assert_eq!(names(&servers.tools()), ["good__a", "good__b"]);
    let expected = [
        ("unset", "the variable NOWHERE is not set"),
        (
            "absent",
            "\"no-such-program\" could not be started: it is not on the PATH",
        ),
        ("silent", "it was not ready within 2 s"),
        ("dying", "; its standard error ends with: no key in ***"),
        (
            "flooding",
            "floods its standard output with what is no JSON-RPC message",
        ),
        ("http", "refused"),
        ("good", "another server has the same name"),
    ];
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    for (warning, (name, why)) in warnings.iter().zip(expected) {
        assert!(
            warning.contains(&format!("{name:?} is not available")),
            "{warning}"
        );
        assert!(warning.contains(why), "{why:?} is missing in {warning:?}");
        assert!(!warning.contains("tok-123"), "{warning}");
    }
    servers.stop().await;
}

#[tokio::test]
async fn calls_that_go_wrong_say_how() {
    for (on_call, why) in [
        ("sleep 1000", "did not answer within 2 s"),
        ("exit 1", "closed its standard output"),
        (
            "echo nonsense",
            "did not answer within 2 s; it wrote what is no JSON-RPC message: \"nonsense\"",
        ),
        (
            "reply '{\"content\":7}'",
            "answered with something that is no result",
        ),
        ("yes x | tr -d '\\n'", "sent a message of more than 8 MiB"),
        (
            "yes",
            "floods its standard output with what is no JSON-RPC message",
        ),
        (
            r#"printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"no such file"}}\n' "$id""#,
            "answered with error -32602: no such file",
        ),
        (
            r#"reply '{"content":[{"type":"text","text":"no"}],"isError":true}'"#,
            "no",
        ),
    ] {
        let (servers, warnings) = start(&[server("s", on_call)]).await;
        assert_eq!(warnings, [""; 0]);
        let error = call(&servers).await.unwrap_err().to_string();
        assert!(
            error.contains(why),
            "{on_call}: {why:?} is missing in {error:?}"
        );
        servers.stop().await;
    }
}
