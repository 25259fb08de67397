//! From the definition of an MCP server to how it is reached: placeholders are resolved, and what
//! cannot work is refused before anything is started.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use stigmer_api::agent::{
    DockerServer, HttpServer, McpServerDefinition, StdioServer, mcp_server_definition::ServerType,
};

use super::{
    container,
    placeholder::{self, Missing},
    process::Program,
};
use crate::environment::Environment;

/// How long a call of an HTTP server may take whose definition names no time.
const HTTP_CALL: Duration = Duration::from_secs(30);

/// How a server is reached.
#[derive(Debug)]
pub enum Launch {
    /// A program that speaks over its standard input and output.
    Stdio {
        /// The program, or the client of a container engine.
        program: Program,
        /// Where it runs; in the execution's workspace when unset, and relative to it.
        working_dir: Option<PathBuf>,
    },
    /// A service with the streamable HTTP transport.
    Http {
        /// Where.
        url: Url,
        /// Sent with every request.
        headers: Vec<(HeaderName, HeaderValue)>,
        /// How long a call may take.
        call: Duration,
    },
}

/// The server cannot be used as it is defined.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A placeholder has no value.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// No server type is set.
    #[error("its definition says neither stdio, http, nor docker")]
    NoType,
    /// There is nothing to start a container with.
    #[error(
        "it is of type docker (image {0}), and there is no container engine: neither docker nor podman is on the PATH of the agent-runner; install one, or run the image yourself and define the server as http"
    )]
    NoEngine(String),
    /// There is no command.
    #[error("its command is empty")]
    NoCommand,
    /// The URL cannot be used.
    #[error("its URL is not one: {0}; it has to be like http://localhost:8080/mcp")]
    Url(String),
    /// The service wants TLS.
    #[error(
        "its URL begins with https, and this build has no TLS; put a local proxy in front of the service"
    )]
    Tls,
    /// A header cannot be sent.
    #[error("its header {0:?} cannot be sent: a name is letters and dashes, a value one line")]
    Header(String),
}

impl Launch {
    /// How the server is reached with the variables of `environment`, for an execution with this
    /// workspace.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the definition, without values of variables.
    pub fn resolve(
        definition: &McpServerDefinition,
        environment: &Environment,
        workspace: &Path,
    ) -> Result<Self, LaunchError> {
        match &definition.server_type {
            None => Err(LaunchError::NoType),
            Some(ServerType::Docker(server)) => docker(server, environment, workspace),
            Some(ServerType::Stdio(server)) => stdio(server, environment),
            Some(ServerType::Http(server)) => http(server, environment),
        }
    }
}

fn stdio(server: &StdioServer, environment: &Environment) -> Result<Launch, LaunchError> {
    let mut texts = Texts::of(environment);
    let command = texts.take(&server.command);
    let args = server.args.iter().map(|arg| texts.take(arg)).collect();
    let env = texts.take_map(&server.env_placeholders);
    let working_dir = texts.take(&server.working_dir);
    texts.all_there()?;
    if command.is_empty() {
        return Err(LaunchError::NoCommand);
    }
    Ok(Launch::Stdio {
        program: Program {
            command,
            args,
            env,
            container_file: None,
        },
        working_dir: Some(working_dir)
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from),
    })
}

fn docker(
    server: &DockerServer,
    environment: &Environment,
    workspace: &Path,
) -> Result<Launch, LaunchError> {
    let mut texts = Texts::of(environment);
    let mut resolved = server.clone();
    resolved.image = texts.take(&server.image);
    resolved.args = server.args.iter().map(|arg| texts.take(arg)).collect();
    let env = texts.take_map(&server.env_placeholders);
    for volume in &mut resolved.volumes {
        volume.host_path = texts.take(&volume.host_path);
    }
    texts.all_there()?;
    let engine = container::engine().ok_or_else(|| LaunchError::NoEngine(server.image.clone()))?;
    Ok(Launch::Stdio {
        program: container::program(engine, &resolved, env, workspace),
        working_dir: None,
    })
}

fn http(server: &HttpServer, environment: &Environment) -> Result<Launch, LaunchError> {
    let mut texts = Texts::of(environment);
    let url = texts.take(&server.url);
    let headers = texts.take_map(&server.headers);
    let query = texts.take_map(&server.query_params);
    texts.all_there()?;
    let mut url = Url::parse(&url).map_err(|error| LaunchError::Url(error.to_string()))?;
    match url.scheme() {
        "http" => {}
        "https" => return Err(LaunchError::Tls),
        other => return Err(LaunchError::Url(format!("the scheme is {other}"))),
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    let header = |(name, value): (String, String)| {
        let refused = || LaunchError::Header(name.clone());
        let parsed = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| refused())?;
        value.set_sensitive(true);
        Ok::<_, LaunchError>((parsed, value))
    };
    let call = match u64::try_from(server.timeout_seconds) {
        Ok(seconds @ 1..) => Duration::from_secs(seconds),
        _ => HTTP_CALL,
    };
    Ok(Launch::Http {
        url,
        headers: headers.into_iter().map(header).collect::<Result<_, _>>()?,
        call,
    })
}

/// Texts whose placeholders are resolved, and the variables that all of them lack.
struct Texts<'a> {
    environment: &'a Environment,
    missing: Vec<String>,
}

impl<'a> Texts<'a> {
    fn of(environment: &'a Environment) -> Self {
        Self {
            environment,
            missing: Vec::new(),
        }
    }

    fn take(&mut self, text: &str) -> String {
        placeholder::resolve(text, self.environment).unwrap_or_else(|Missing(names)| {
            self.missing.extend(names);
            String::new()
        })
    }

    fn take_map<'b>(
        &mut self,
        map: impl IntoIterator<Item = (&'b String, &'b String)>,
    ) -> BTreeMap<String, String> {
        map.into_iter()
            .map(|(key, text)| (key.clone(), self.take(text)))
            .collect()
    }

    fn all_there(mut self) -> Result<(), Missing> {
        self.missing.sort();
        self.missing.dedup();
        match self.missing.is_empty() {
            true => Ok(()),
            false => Err(Missing(self.missing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    fn resolve(server: ServerType) -> Result<Launch, String> {
        let definition = McpServerDefinition {
            name: "github".to_owned(),
            server_type: Some(server),
            ..Default::default()
        };
        let environment = environment(&[("TOKEN", "tok/1", true), ("DIR", "repo", false)]);
        Launch::resolve(&definition, &environment, Path::new("/"))
            .map_err(|error| error.to_string())
    }

    fn pairs<T: FromIterator<(String, String)>>(pairs: &[(&str, &str)]) -> T {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    }

    #[test]
    fn placeholders_reach_every_part_of_a_command() {
        let launch = resolve(ServerType::Stdio(StdioServer {
            command: "${DIR}/serve".to_owned(),
            args: vec!["--token=${TOKEN}".to_owned()],
            env_placeholders: pairs(&[("GITHUB_TOKEN", "${TOKEN}")]),
            working_dir: "${DIR}".to_owned(),
        }));
        let Ok(Launch::Stdio {
            program,
            working_dir,
        }) = launch
        else {
            panic!("{launch:?}")
        };
        assert_eq!(
            (program.command.as_str(), program.args),
            ("repo/serve", vec!["--token=tok/1".to_owned()])
        );
        assert_eq!(program.env, pairs(&[("GITHUB_TOKEN", "tok/1")]));
        assert_eq!(working_dir, Some(PathBuf::from("repo")));
    }

    #[test]
    fn placeholders_reach_headers_and_query_of_a_service() {
        let launch = resolve(ServerType::Http(HttpServer {
            url: "http://localhost:1/${DIR}?a=1".to_owned(),
            headers: pairs(&[("Authorization", "Bearer ${TOKEN}")]),
            query_params: pairs(&[("key", "${TOKEN}")]),
            timeout_seconds: 60,
        }));
        let Ok(Launch::Http { url, headers, call }) = launch else {
            panic!("{launch:?}")
        };
        assert_eq!(url.as_str(), "http://localhost:1/repo?a=1&key=tok%2F1");
        assert_eq!(headers[0].1, "Bearer tok/1");
        assert_eq!(call, Duration::from_secs(60));
        assert!(
            !format!("{headers:?}").contains("tok"),
            "headers are not for logs"
        );
    }

    #[test]
    fn what_cannot_work_says_why() {
        let http = |url: &str| HttpServer {
            url: url.to_owned(),
            ..Default::default()
        };
        let with_header = HttpServer {
            headers: pairs(&[("X-Key", "a\nb${TOKEN}")]),
            ..http("http://localhost:1/")
        };
        let unset = StdioServer {
            command: "npx".to_owned(),
            args: vec!["${B}".to_owned()],
            env_placeholders: pairs(&[("A", "${A} ${B}")]),
            ..Default::default()
        };
        for (server, expected) in [
            (ServerType::Http(http("nowhere")), "its URL is not one"),
            (ServerType::Http(http("https://host/mcp")), "no TLS"),
            (
                ServerType::Http(http("ftp://host/mcp")),
                "the scheme is ftp",
            ),
            (ServerType::Http(with_header), "its header \"X-Key\""),
            (
                ServerType::Stdio(StdioServer::default()),
                "its command is empty",
            ),
            (ServerType::Stdio(unset), "the variables A, B are not set"),
        ] {
            let error = resolve(server).unwrap_err();
            assert!(
                error.contains(expected),
                "{expected:?} is missing in {error:?}"
            );
            assert!(!error.contains("tok/1"), "{error}");
        }
    }
}
