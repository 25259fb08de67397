//! MCP servers: where an agent's tools come from.

use stigmer_api::agent::{
    self as api, McpServerDefinition, PortMapping, VolumeMount, mcp_server_definition::ServerType,
};

/// How long a request to an HTTP server may take when nothing else is said, in seconds.
const HTTP_TIMEOUT_SECONDS: i32 = 30;

/// An MCP server of an agent, known to it by its name: a [`StdioServer`], an [`HttpServer`], or a
/// [`DockerServer`].
///
/// Values may hold placeholders such as `${GITHUB_TOKEN}`, which are kept as they are. A missing
/// name, command, URL, or image is reported when the resources are handed over.
#[derive(Clone, Debug, PartialEq)]
pub struct McpServer(McpServerDefinition);

impl McpServer {
    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn to_proto(&self) -> McpServerDefinition {
        self.0.clone()
    }
}

/// A server that the runner starts and talks to over standard input and output.
#[derive(Clone, Debug, PartialEq)]
pub struct StdioServer {
    name: String,
    enabled_tools: Vec<String>,
    config: api::StdioServer,
}

impl StdioServer {
    /// The server `name`, started as `command`.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        let config = api::StdioServer {
            command: command.into(),
            ..Default::default()
        };
        Self {
            name: name.into(),
            enabled_tools: Vec::new(),
            config,
        }
    }

    /// The arguments of the command.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable of the command.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config
            .env_placeholders
            .insert(name.into(), value.into());
        self
    }

    /// Where the command runs.
    #[must_use]
    pub fn working_dir(mut self, dir: impl Into<String>) -> Self {
        self.config.working_dir = dir.into();
        self
    }
}

/// A server that is reached over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpServer {
    name: String,
    enabled_tools: Vec<String>,
    config: api::HttpServer,
}

impl HttpServer {
    /// The server `name` at `url`, with 30 seconds for a request.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        let config = api::HttpServer {
            url: url.into(),
            timeout_seconds: HTTP_TIMEOUT_SECONDS,
            ..Default::default()
        };
        Self {
            name: name.into(),
            enabled_tools: Vec::new(),
            config,
        }
    }

    /// A header of every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.headers.insert(name.into(), value.into());
        self
    }

    /// A query parameter of every request.
    #[must_use]
    pub fn query_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.query_params.insert(name.into(), value.into());
        self
    }

    /// How long a request may take, in seconds.
    #[must_use]
    pub fn timeout_seconds(mut self, seconds: i32) -> Self {
        self.config.timeout_seconds = seconds;
        self
    }
}

/// A server that runs in a container.
#[derive(Clone, Debug, PartialEq)]
pub struct DockerServer {
    name: String,
    enabled_tools: Vec<String>,
    config: api::DockerServer,
}

impl DockerServer {
    /// The server `name`, run from `image`.
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> Self {
        let config = api::DockerServer {
            image: image.into(),
            ..Default::default()
        };
        Self {
            name: name.into(),
            enabled_tools: Vec::new(),
            config,
        }
    }

    /// The arguments of the container's command.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable of the container.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config
            .env_placeholders
            .insert(name.into(), value.into());
        self
    }

    /// A directory of the host that the container may change.
    #[must_use]
    pub fn volume(self, host_path: impl Into<String>, container_path: impl Into<String>) -> Self {
        self.mount(host_path.into(), container_path.into(), false)
    }

    /// A directory of the host that the container may only read.
    #[must_use]
    pub fn read_only_volume(
        self,
        host_path: impl Into<String>,
        container_path: impl Into<String>,
    ) -> Self {
        self.mount(host_path.into(), container_path.into(), true)
    }

    fn mount(mut self, host_path: String, container_path: String, read_only: bool) -> Self {
        self.config.volumes.push(VolumeMount {
            host_path,
            container_path,
            read_only,
        });
        self
    }

    /// The network that the container joins.
    #[must_use]
    pub fn network(mut self, network: impl Into<String>) -> Self {
        self.config.network = network.into();
        self
    }

    /// A port of the host that leads to a port of the container; `protocol` is `tcp` or `udp`, or
    /// empty for `tcp`.
    #[must_use]
    pub fn port(
        mut self,
        host_port: u16,
        container_port: u16,
        protocol: impl Into<String>,
    ) -> Self {
        self.config.ports.push(PortMapping {
            host_port: host_port.into(),
            container_port: container_port.into(),
            protocol: protocol.into(),
        });
        self
    }

    /// The container's name.
    #[must_use]
    pub fn container_name(mut self, name: impl Into<String>) -> Self {
        self.config.container_name = name.into();
        self
    }
}

macro_rules! transports {
    ($($server:ident => $variant:ident;)*) => {$(
        impl $server {
            /// The only tools that the agent may use; without this, all of them.
            #[must_use]
            pub fn enable_tools(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
                self.enabled_tools.extend(names.into_iter().map(Into::into));
                self
            }
        }

        impl From<$server> for McpServer {
            fn from(server: $server) -> Self {
                Self(McpServerDefinition {
                    name: server.name,
                    server_type: Some(ServerType::$variant(server.config)),
                    enabled_tools: server.enabled_tools,
                })
            }
        }
    )*};
}

transports! {
    StdioServer => Stdio;
    HttpServer => Http;
    DockerServer => Docker;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stdio_server_keeps_command_placeholders_and_tools() {
        let server = McpServer::from(
            StdioServer::new("github", "npx")
                .args(["-y", "@modelcontextprotocol/server-github"])
                .env("GITHUB_TOKEN", "${GITHUB_TOKEN}")
                .working_dir("/srv")
                .enable_tools(["create_issue", "list_repos"]),
        );
        assert_eq!(server.name(), "github");
        let McpServerDefinition {
            server_type: Some(ServerType::Stdio(config)),
            enabled_tools,
            ..
        } = server.to_proto()
        else {
            panic!("not a stdio server: {server:?}");
        };
        assert_eq!(
            (
                config.command.as_str(),
                config.args.len(),
                config.working_dir.as_str()
            ),
            ("npx", 2, "/srv")
        );
        assert_eq!(config.env_placeholders["GITHUB_TOKEN"], "${GITHUB_TOKEN}");
        assert_eq!(enabled_tools, ["create_issue", "list_repos"]);
    }

    #[test]
    fn an_http_server_has_thirty_seconds_unless_told_otherwise() {
        let seconds = |server: HttpServer| match McpServer::from(server).to_proto().server_type {
            Some(ServerType::Http(config)) => config.timeout_seconds,
            other => panic!("not an HTTP server: {other:?}"),
        };
        let server = HttpServer::new("api", "https://mcp.example.com")
            .header("X-Api", "1")
            .query_param("region", "eu");
        assert_eq!(seconds(server.clone()), 30);
        assert_eq!(seconds(server.timeout_seconds(60)), 60);
    }

    #[test]
    fn a_docker_server_keeps_volumes_and_ports_in_order() {
        let server = McpServer::from(
            DockerServer::new("custom", "ghcr.io/org/mcp:1")
                .volume("/data", "/mnt/data")
                .read_only_volume("/etc/conf", "/mnt/conf")
                .port(8080, 80, "tcp")
                .network("mcp-network")
                .container_name("my-mcp"),
        );
        let Some(ServerType::Docker(config)) = server.to_proto().server_type else {
            panic!("not a Docker server: {server:?}");
        };
        assert_eq!(
            config
                .volumes
                .iter()
                .map(|v| v.read_only)
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(
            (config.ports[0].host_port, config.ports[0].container_port),
            (8080, 80)
        );
        assert_eq!(
            (config.network.as_str(), config.container_name.as_str()),
            ("mcp-network", "my-mcp")
        );
    }
}
