//! Calls: what a task asks of something outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A call and its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", content = "with", rename_all = "lowercase")]
pub enum Call {
    /// An HTTP request.
    Http(HttpCall),
    /// A unary gRPC call.
    Grpc(GrpcCall),
    /// A Temporal activity.
    Activity(ActivityCall),
    /// An agent.
    Agent(AgentCall),
}

/// An HTTP request; every text may hold expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpCall {
    /// The method.
    pub method: String,
    /// Where to.
    pub endpoint: Endpoint,
    /// Headers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Json>,
    /// Query parameters, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Json>,
    /// The body, sent as JSON; a text is sent as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
    /// What the output is: `content` (the default), `raw` or `response`.
    #[serde(default, skip_serializing_if = "HttpOutput::is_default")]
    pub output: HttpOutput,
    /// Whether redirections are followed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redirect: bool,
}

/// What an HTTP request gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpOutput {
    /// The body: the JSON it holds, else its text.
    #[default]
    Content,
    /// The body in base64.
    Raw,
    /// `{request, statusCode, headers, content}`.
    Response,
}

impl HttpOutput {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A URI, written as a text or as `{uri: …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "EndpointForm")]
pub struct Endpoint {
    /// The URI.
    pub uri: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum EndpointForm {
    Text(String),
    Object { uri: String },
}

impl From<EndpointForm> for Endpoint {
    fn from(form: EndpointForm) -> Self {
        let (EndpointForm::Text(uri) | EndpointForm::Object { uri }) = form;
        Self { uri }
    }
}

/// A unary gRPC call, described by the server's reflection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcCall {
    /// The service and where it is.
    pub service: GrpcService,
    /// The method's name.
    pub method: String,
    /// The request message in protobuf JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Json>,
}

/// A gRPC service and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcService {
    /// The full name, such as `grpc.health.v1.Health`.
    pub name: String,
    /// The host, `localhost` by default.
    #[serde(default = "GrpcService::default_host")]
    pub host: String,
    /// The port, 50051 by default; a text when it is an expression.
    #[serde(default = "GrpcService::default_port")]
    pub port: Json,
}

impl GrpcService {
    fn default_host() -> String {
        "localhost".to_owned()
    }

    fn default_port() -> Json {
        Json::from(50051)
    }

    /// The service that the config names: `[host[:port]/]package.Service`.
    pub fn named(text: &str) -> Self {
        let (address, name) = match text.rsplit_once('/') {
            Some((address, name)) => (address, name),
            None => ("", text),
        };
        let address = address
            .rsplit_once("://")
            .map_or(address, |(_, address)| address);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (
                host,
                port.parse::<u16>()
                    .map_or_else(|_| Json::from(port), Json::from),
            ),
            None => (address, Self::default_port()),
        };
        let host = if host.is_empty() {
            Self::default_host()
        } else {
            host.to_owned()
        };
        Self {
            name: name.to_owned(),
            host,
            port,
        }
    }
}

/// A Temporal activity, called by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityCall {
    /// The activity type.
    pub name: String,
    /// The queue its worker polls; the workflow's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_queue: Option<String>,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Json>,
}

/// A message to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentCall {
    /// The agent's slug.
    pub agent: String,
    /// The message.
    pub message: String,
    /// Where the agent is looked for, by the name of `ApiResourceOwnerScope`; anywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Environment variables of the execution.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Json>,
    /// How to run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<AgentConfig>,
}

/// How to run an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The model; the agent-runner's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The time limit in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// The temperature; the model's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}
