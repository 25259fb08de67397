//! Tools of MCP servers: offered, called, limited, missed.

use std::{fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8PathBuf;
use serde_json::json;
use stigmer_api::{
    agent::{
        DockerServer, HttpServer, McpServerDefinition, StdioServer,
        mcp_server_definition::ServerType,
    },
    agent_execution::{MessageType, ToolCallStatus},
    json::from_struct,
};
use stigmer_e2e::harness::{
    Component, Expectation, Probe, Reply, Test,
    budget::{AGENT, STOP},
    story,
};

use super::at_work::{TASK, agent_with, calls, completed, start, stdio, texts, variable};
use super::service::Service;
use crate::{own::mcp_server, then};

#[test]
fn agt_01_a_tool_is_offered_called_and_its_result_goes_back() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let arguments = json!({"a": 19, "b": 23});
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::text("Let me see. ").then_call("calc__add", &arguments),
        ));
        env.llm().expect(Expectation::result_containing(
            "42",
            Reply::text("It is 42."),
        ));
        let status = completed(&env, agent_with([stdio("calc")])).await?;

        t.step("the model was offered the tool, and got the result of its call");
        let requests = env.llm().requests();
        let offered = requests[0].body["tools"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let add = offered
            .iter()
            .find(|tool| tool["function"]["name"] == "calc__add");
        let add = &add.expect("the tool is offered")["function"];
        assert_eq!(add["description"], "Adds two numbers.");
        assert_eq!(add["parameters"]["properties"]["a"]["type"], "number");
        let messages = requests[1].body["messages"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let [.., asked, result] = &messages[..] else {
            panic!("{messages:?}")
        };
        assert_eq!(asked["content"], "Let me see. ");
        assert_eq!(
            asked["tool_calls"][0]["function"]["arguments"],
            arguments.to_string()
        );
        assert_eq!(result["content"], "42");
        assert_eq!(result["tool_call_id"], asked["tool_calls"][0]["id"]);

        t.step("the record holds the call");
        assert_eq!(
            calls(&status),
            [("calc__add", ToolCallStatus::ToolCallCompleted, "42")]
        );
        let call = &status.tool_calls[0];
        let args = from_struct(call.args.as_ref().expect("arguments"));
        assert_eq!(serde_json::Value::from(args), arguments);
        for time in [&call.started_at, &call.completed_at] {
            time.parse::<jiff::Timestamp>().expect("a time in RFC 3339");
        }
        assert!(call.started_at <= call.completed_at);
        let kinds = status
            .messages
            .iter()
            .map(|message| message.r#type())
            .collect::<Vec<_>>();
        use MessageType::{MessageAi, MessageHuman, MessageTool};
        assert_eq!(kinds, [MessageHuman, MessageAi, MessageTool, MessageAi]);
        assert_eq!(status.messages[2].tool_calls, status.tool_calls);
        assert_eq!(texts(&status, MessageAi), ["Let me see. ", "It is 42."]);
        Ok(())
    });
}

#[test]
fn agt_02_a_service_over_http_gets_what_the_execution_gives_it() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let service = Service::start().await?;
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::calling("service__add", &json!({"a": 1, "b": 2})),
        ));
        env.llm()
            .expect(Expectation::result_containing("3", Reply::text("It is 3.")));
        let token = t.secret("API_TOKEN");
        let agent =
            agent_with([service.definition("Bearer ${API_TOKEN}", ("region", "${REGION}"))]);
        let id = start(&env, agent, |execution| {
            variable(execution, "API_TOKEN", &token, true);
            variable(execution, "REGION", "eu west", false);
        })
        .await?;
        let finished = then::completed(&env, &id, AGENT).await?;
        let status = finished.execution.status.unwrap_or_default();
        assert_eq!(
            calls(&status),
            [("service__add", ToolCallStatus::ToolCallCompleted, "3")]
        );
        let seen = service.seen();
        assert!(
            seen.len() >= 3,
            "handshake, list, and call are requests: {}",
            seen.len()
        );
        for (query, key) in seen {
            assert_eq!(query, "region=eu+west");
            assert!(
                key == format!("Bearer {token}"),
                "a request came with another key"
            );
        }
        Ok(())
    });
}

#[test]
fn agt_03_only_the_tools_that_are_enabled_are_offered() {
    story(async |t| {
        let env = t
            .environment()
            .without_workflow_runner()
            .answering("Done.")
            .start()
            .await?;
        let limited = McpServerDefinition {
            enabled_tools: vec!["add".to_owned(), "multiply".to_owned()],
            ..stdio("limited")
        };
        let status = completed(&env, agent_with([limited])).await?;
        assert_eq!(env.llm().requests()[0].tools(), ["limited__add"]);
        assert_eq!(
            texts(&status, MessageType::MessageSystem),
            [
                "⚠️ Warning: the MCP server \"limited\" offers no tool \"multiply\", which enabled_tools names"
            ]
        );
        Ok(())
    });
}

#[test]
fn agt_04_a_server_that_cannot_be_had_is_named_and_done_without() {
    story(async |t| {
        // Whatever this machine has: there is no program on the PATH of the runner.
        let env = t
            .environment()
            .without_workflow_runner()
            .setting(Component::AgentRunner, "PATH", t.folder().join("nothing"))
            .setting(Component::AgentRunner, "STIGMER_MCP_START_TIMEOUT", "2")
            .answering("Done without.")
            .start()
            .await?;
        let named = |name: &str, server_type: ServerType| McpServerDefinition {
            name: name.to_owned(),
            server_type: Some(server_type),
            ..Default::default()
        };
        let program = |command: &str, args: &[&str]| {
            ServerType::Stdio(StdioServer {
                command: command.to_owned(),
                args: args.iter().map(|arg| (*arg).to_owned()).collect(),
                ..Default::default()
            })
        };
        let service = |url: &str| {
            ServerType::Http(HttpServer {
                url: url.to_owned(),
                ..Default::default()
            })
        };
        let docker = ServerType::Docker(DockerServer {
            image: "mcp/specimen:1".to_owned(),
            ..Default::default()
        });
        let agent = agent_with([
            named(
                "unset",
                program(mcp_server().as_str(), &["--token=${NOWHERE_TOKEN}"]),
            ),
            named("absent", program("no-such-program-here", &[])),
            named("mute", program(mcp_server().as_str(), &["mute"])),
            named("unreachable", service("http://127.0.0.1:9/mcp")),
            named("secure", service("https://127.0.0.1:9/mcp")),
            named("container", docker),
            stdio("good"),
        ]);
        let status = completed(&env, agent).await?;
        let warnings = texts(&status, MessageType::MessageSystem);
        let expected = [
            ("unset", "the variable NOWHERE_TOKEN is not set"),
            ("absent", "\"no-such-program-here\" could not be started"),
            ("mute", "it was not ready within 2 s"),
            ("unreachable", "refused"),
            ("secure", "no TLS"),
            ("container", "there is no container engine"),
        ];
        assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
        for (warning, (name, cause)) in warnings.iter().zip(expected) {
            let begin = format!("⚠️ Warning: the MCP server {name:?} is not available: ");
            assert!(
                warning.starts_with(&begin) && warning.contains(cause),
                "{warning:?}"
            );
        }
        assert_eq!(texts(&status, MessageType::MessageAi), ["Done without."]);
        let requests = env.llm().requests();
        let offered = requests[0].tools();
        assert!(offered.contains(&"good__add"), "{offered:?}");
        assert!(
            offered.iter().all(|tool| tool.starts_with("good__")),
            "{offered:?}"
        );
        Ok(())
    });
}

#[test]
fn agt_09_the_calls_of_one_answer_run_side_by_side() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        // None of the three is answered before all of them are there.
        let meet = |number: u32| json!({"number": number});
        let asking = Reply::calling("s__meet", &meet(1))
            .then_call("s__meet", &meet(2))
            .then_call("s__meet", &meet(3));
        env.llm()
            .expect(Expectation::message_containing(TASK, asking));
        env.llm().expect(Expectation::result_containing(
            "number 3",
            Reply::text("All met."),
        ));
        let status = completed(&env, agent_with([stdio("s")])).await?;
        let done = ToolCallStatus::ToolCallCompleted;
        let results = ["met as number 1", "met as number 2", "met as number 3"];
        assert_eq!(
            calls(&status),
            results.map(|result| ("s__meet", done, result))
        );
        assert_eq!(env.llm().requests()[1].messages_of("tool"), results);
        Ok(())
    });
}

/// A container engine's client that writes down what it is told, and runs the test server itself.
fn engine(t: &Test) -> std::io::Result<(Utf8PathBuf, Utf8PathBuf)> {
    let (folder, told) = (t.folder().join("engine"), t.folder().join("engine.log"));
    fs::create_dir_all(&folder)?;
    let server = mcp_server();
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> '{told}'
[ "$1" = run ] || exit 0
while [ "$1" != --cidfile ]; do shift; done
echo container-4711 > "$2"
exec '{server}'
"#
    );
    let client = folder.join("docker");
    fs::write(&client, script)?;
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755))?;
    Ok((folder, told))
}

#[test]
fn agt_11_a_server_in_a_container_is_spoken_to_and_removed() {
    story(async |t| {
        let (folder, told) = engine(&t)?;
        let env = t
            .environment()
            .without_workflow_runner()
            .setting(
                Component::AgentRunner,
                "PATH",
                format!("{folder}:/usr/bin:/bin"),
            )
            .start()
            .await?;
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::calling("boxed__reveal", &json!({"name": "API_TOKEN"})),
        ));
        env.llm().expect(Expectation::result_containing(
            "it is ***",
            Reply::text("It has it."),
        ));
        let token = t.secret("API_TOKEN");
        let boxed = McpServerDefinition {
            name: "boxed".to_owned(),
            server_type: Some(ServerType::Docker(DockerServer {
                image: "mcp/specimen:1".to_owned(),
                args: vec!["--verbose".to_owned()],
                env_placeholders: [("API_TOKEN".to_owned(), "${API_TOKEN}".to_owned())].into(),
                ..Default::default()
            })),
            ..Default::default()
        };
        let id = start(&env, agent_with([boxed]), |execution| {
            variable(execution, "API_TOKEN", &token, true);
        })
        .await?;
        then::completed(&env, &id, AGENT).await?;
        t.step("the engine ran the image, and was told to remove the container");
        let lines = async || match fs::read_to_string(&told) {
            Ok(text) if text.lines().count() == 2 => Probe::Done(text),
            Ok(text) => Probe::NotYet(text),
            Err(error) => Probe::NotYet(error.to_string()),
        };
        let lines = t
            .eventually("the engine was asked twice", STOP, lines)
            .await?;
        let [run, remove] = lines.lines().collect::<Vec<_>>()[..] else {
            panic!("{lines:?}")
        };
        assert!(
            run.starts_with("run --rm --interactive --cidfile "),
            "{run:?}"
        );
        assert!(
            run.ends_with(" --env API_TOKEN mcp/specimen:1 --verbose"),
            "{run:?}"
        );
        assert_eq!(remove, "rm --force container-4711");
        Ok(())
    });
}
