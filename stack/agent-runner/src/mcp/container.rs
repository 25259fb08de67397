//! MCP servers in containers: the engine's client is the program that is spoken to, and the engine is
//! told to remove the container once that has ended, since no signal reaches into it. Only a container
//! of which the client has written the id is removed: one whose name is taken belongs to somebody else.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
};

use stigmer_api::agent::DockerServer;

use super::process::Program;

/// The clients of container engines, the preferred one first; both take the same arguments.
const ENGINES: [&str; 2] = ["docker", "podman"];

/// What tells a client where its engine is.
const ENGINE_VARIABLES: [&str; 7] = [
    "CONTAINER_HOST",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "XDG_RUNTIME_DIR",
];

/// The client of the container engine, if there is one.
pub fn engine() -> Option<PathBuf> {
    ENGINES.iter().find_map(|name| which::which(name).ok())
}

/// The program that runs `server`, whose variables are `env`, for an execution with this workspace.
pub fn program(
    engine: PathBuf,
    server: &DockerServer,
    env: BTreeMap<String, String>,
    workspace: &Path,
) -> Program {
    let unique = RandomState::new().hash_one(&server.image);
    let file = workspace.join(format!("container-{unique:016x}"));
    let args = arguments(server, &file, &env);
    let of_engine = ENGINE_VARIABLES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    Program {
        command: engine.to_string_lossy().into_owned(),
        args,
        env: of_engine.chain(env).collect(),
        container_file: Some(file),
    }
}

fn arguments(server: &DockerServer, file: &Path, env: &BTreeMap<String, String>) -> Vec<String> {
    let mut args = ["run", "--rm", "--interactive"].map(str::to_owned).to_vec();
    let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
    option("--cidfile", file.to_string_lossy().into_owned());
    if !server.container_name.is_empty() {
        option("--name", server.container_name.clone());
    }
    if !server.network.is_empty() {
        option("--network", server.network.clone());
    }
    for volume in &server.volumes {
        let mode = if volume.read_only { ":ro" } else { "" };
        option(
            "--volume",
            format!("{}:{}{mode}", volume.host_path, volume.container_path),
        );
    }
    for port in &server.ports {
        let protocol = match port.protocol.as_str() {
            "" => "tcp",
            protocol => protocol,
        };
        option(
            "--publish",
            format!("{}:{}/{protocol}", port.host_port, port.container_port),
        );
    }
    // Without the value, which the client takes from its own environment: arguments can be seen by all.
    for variable in env.keys() {
        option("--env", variable.clone());
    }
    args.push(server.image.clone());
    args.extend(server.args.iter().cloned());
    args
}

#[cfg(test)]
mod tests {
    use stigmer_api::agent::{PortMapping, VolumeMount};

    use super::*;

    #[test]
    fn a_container_is_run_as_defined_and_secrets_are_no_arguments() {
        let volume = |host: &str, read_only| VolumeMount {
            host_path: host.to_owned(),
            container_path: "/data".to_owned(),
            read_only,
        };
        let server = DockerServer {
            image: "mcp/custom:1".to_owned(),
            args: vec!["--verbose".to_owned()],
            volumes: vec![volume("/a", false), volume("/b", true)],
            network: "mcp-network".to_owned(),
            ports: vec![PortMapping {
                host_port: 8080,
                container_port: 80,
                protocol: String::new(),
            }],
            container_name: "custom".to_owned(),
            ..Default::default()
        };
        let env = BTreeMap::from([("TOKEN".to_owned(), "tok-123".to_owned())]);
        let program = program("/usr/bin/docker".into(), &server, env, Path::new("/w"));
        let file = program.container_file.unwrap();
        assert!(file.starts_with("/w"), "{}", file.display());
        let expected = format!(
            "run --rm --interactive --cidfile {} --name custom --network mcp-network \
             --volume /a:/data --volume /b:/data:ro --publish 8080:80/tcp --env TOKEN mcp/custom:1 --verbose",
            file.display()
        );
        assert_eq!(program.args.join(" "), expected);
        assert_eq!(program.env["TOKEN"], "tok-123");
    }
}
