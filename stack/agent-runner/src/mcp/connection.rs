//! A conversation with one MCP server.

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::redirect::Policy;
use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, Implementation,
        InitializeRequestParams, PaginatedRequestParams, Tool,
    },
    service::{Peer, RunningService, serve_client},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{
    Limits, content, error,
    launch::{Launch, LaunchError},
    process::{Pipes, Process},
    stdio::{Fault, StdioTransport},
};
use crate::tools::ToolError;

/// The largest answer of an HTTP server, in bytes.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// The most pages of a list of tools.
const MOST_PAGES: usize = 50;

/// How long closing a conversation may take.
const CLOSE: Duration = Duration::from_millis(500);

/// How long the last words of a program that did not become ready are waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

type Service = RunningService<RoleClient, InitializeRequestParams>;

/// A server that is ready. Dropping it ends the conversation and kills its program.
#[derive(Debug)]
pub struct Connection {
    peer: Peer<RoleClient>,
    fault: Fault,
    call: Duration,
    /// Taken when the conversation is closed.
    held: Mutex<Option<(Service, Option<Process>)>>,
}

/// A server did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its definition is no good.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its program could not be started.
    #[error("its command {command:?} could not be started: {reason}")]
    Spawn {
        /// The program.
        command: String,
        /// What is wrong.
        reason: String,
    },
    /// It does not speak as it should.
    #[error("{0}")]
    Handshake(String),
    /// It takes too long.
    #[error("it was not ready within {} s{noise}", .limit.as_secs())]
    TimedOut {
        /// How long it had.
        limit: Duration,
        /// What it wrote that is no message.
        noise: String,
    },
}

impl Connection {
    /// Reaches a server, and gives what it offers.
    ///
    /// # Errors
    ///
    /// When it does not become ready; nothing of it is left then.
    pub async fn open(
        launch: Launch,
        workspace: &Path,
        limits: &Limits,
    ) -> Result<(Self, Vec<Tool>), ConnectError> {
        let fault = Fault::default();
        let (transport, mut process, call) = match launch {
            Launch::Stdio {
                program,
                working_dir,
            } => {
                let directory = working_dir.map_or(workspace.to_owned(), |dir| workspace.join(dir));
                let command = program.command.clone();
                let (process, pipes) = Process::start(program, &directory)
                    .map_err(|error| spawn_error(command, &directory, &error))?;
                (Transport::Stdio(pipes), Some(process), limits.call)
            }
            Launch::Http { url, headers, call } => {
                let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                    .custom_headers(headers.into_iter().collect())
                    .max_sse_event_size(LARGEST_ANSWER)
                    .max_json_response_size(LARGEST_ANSWER);
                (Transport::Http(config), None, call)
            }
        };
        let opening = timeout(limits.start, handshake(transport, &fault)).await;
        let problem = match opening {
            Ok(Ok((service, tools))) => {
                let connection = Self {
                    peer: service.peer().clone(),
                    fault,
                    call,
                    held: Mutex::new(Some((service, process))),
                };
                return Ok((connection, tools));
            }
            Ok(Err(problem)) => problem,
            Err(_) => {
                return Err(ConnectError::TimedOut {
                    limit: limits.start,
                    noise: fault.noise_seen(),
                });
            }
        };
        let complaints = match &mut process {
            None => String::new(),
            Some(process) => {
                process.said_all(LAST_WORDS).await;
                process.complaints()
            }
        };
        Err(ConnectError::Handshake(match complaints.as_str() {
            "" => problem,
            complaints => format!("{problem}; its standard error ends with: {complaints}"),
        }))
    }

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// When the tool fails, or the server does not answer as it should.
    pub async fn call(
        &self,
        server: &str,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> Result<String, ToolError> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let problem = match timeout(self.call, self.peer.call_tool_once(params)).await {
            Ok(Ok(CallToolResponse::Complete(result))) => return content::text(result),
            Ok(Ok(_)) => {
                "it asked for input or began a task of its own, which this runner cannot follow"
                    .to_owned()
            }
            Ok(Err(error)) => error::request(&error, &self.fault),
            Err(_) => format!(
                "it did not answer within {} s{}",
                self.call.as_secs(),
                self.fault.noise_seen()
            ),
        };
        Err(ToolError(format!(
            "the MCP server {server} could not call {tool}: {problem}"
        )))
    }

    /// Ends the conversation and the program.
    pub async fn close(&self) {
        let held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((mut service, process)) = held else {
            return;
        };
        // What does not close in time is killed with its program.
        let _ = service.close_with_timeout(CLOSE).await;
        drop(service);
        if let Some(process) = process {
            process.stop().await;
        }
    }
}

enum Transport {
    Stdio(Pipes),
    Http(StreamableHttpClientTransportConfig),
}

async fn handshake(transport: Transport, fault: &Fault) -> Result<(Service, Vec<Tool>), String> {
    let info = InitializeRequestParams::new(
        ClientCapabilities::default(),
        Implementation::new("stigmer-agent-runner", env!("CARGO_PKG_VERSION")),
    );
    let service = match transport {
        Transport::Stdio(Pipes { stdin, stdout }) => {
            serve_client(info, StdioTransport::new(stdout, stdin, fault.clone())).await
        }
        Transport::Http(config) => {
            let client = http_client().map_err(|error| error.to_string())?;
            serve_client(
                info,
                StreamableHttpClientTransport::with_client(client, config),
            )
            .await
        }
    };
    let service = service.map_err(|problem| error::handshake(&problem, fault))?;
    let tools = list(&service, fault).await?;
    Ok((service, tools))
}

fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(0)
        // Its headers hold keys that are for this service alone.
        .redirect(Policy::none())
        .no_proxy()
        .build()
}

async fn list(peer: &Peer<RoleClient>, fault: &Fault) -> Result<Vec<Tool>, String> {
    let (mut tools, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page = peer
            .list_tools(Some(params))
            .await
            .map_err(|error| error::request(&error, fault))?;
        tools.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(tools);
        }
    }
    Err(format!(
        "its list of tools has more than {MOST_PAGES} pages"
    ))
}

fn spawn_error(command: String, directory: &Path, error: &io::Error) -> ConnectError {
    let reason = match error.kind() {
        io::ErrorKind::NotFound if !directory.is_dir() => {
            format!(
                "its working directory {} does not exist",
                directory.display()
            )
        }
        io::ErrorKind::NotFound => "it is not on the PATH of the agent-runner".to_owned(),
        _ => error.to_string(),
    };
    ConnectError::Spawn { command, reason }
}
