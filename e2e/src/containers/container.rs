//! One part in a container: started by the engine's command line in the foreground, which carries
//! its output, its exit code, and polite signals.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ContainerPart, Runtime};

use super::{Containers, engine::Engine};
use crate::supervise::{Relay, Signal, Spec};

/// The user's variables that say which engine to talk to, by their beginning.
const ENGINE_VARIABLES: &str = "DOCKER_";

/// A container to be started.
#[derive(Debug)]
pub struct Container<'a> {
    containers: &'a Containers,
    part: ContainerPart,
    name: String,
    ip: Option<String>,
    folders: Vec<Utf8PathBuf>,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
}

impl<'a> Container<'a> {
    /// A container of `part`; `name` must be nobody else's in the run.
    pub fn of(containers: &'a Containers, part: ContainerPart, name: &str) -> Self {
        Self {
            containers,
            part,
            name: format!("{}-{name}", containers.network.name),
            ip: None,
            folders: Vec::new(),
            variables: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// Its name in the engine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives it this address.
    pub fn at(mut self, ip: impl ToString) -> Self {
        self.ip = Some(ip.to_string());
        self
    }

    /// Lets it see and write `folder`, under the same path.
    pub fn with_folder(mut self, folder: &Utf8Path) -> Self {
        self.folders.push(folder.to_owned());
        self
    }

    /// Sets environment variables.
    pub fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Adds arguments of its program.
    pub fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The client that runs it, named `report_name` in reports. Its root is read-only, it has no
    /// privileges, it is not root, and it reaches nothing but the run's network.
    pub fn spec(self, report_name: &str, log: &Utf8Path) -> Spec {
        let Containers {
            engine,
            network,
            owner,
            images,
        } = self.containers;
        let mut arguments = [
            "run",
            "--rm",
            "--pull",
            "never",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--tmpfs",
            "/tmp",
            "--log-driver",
            "none",
        ]
        .map(str::to_owned)
        .to_vec();
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        option("--name", self.name.clone());
        option("--network", network.name.clone());
        option("--user", Containers::user());
        self.ip.into_iter().for_each(|ip| option("--ip", ip));
        owner
            .labels()
            .into_iter()
            .for_each(|label| option("--label", label));
        for folder in &self.folders {
            option("--volume", format!("{folder}:{folder}"));
        }
        let mut client = Spec::new(report_name, &engine.program, log).env_clear();
        for (variable, value) in own_variables().chain(self.variables.iter().cloned()) {
            client = client.env(variable, value);
        }
        // By name alone: the values of a command line are everybody's to read.
        for (variable, _) in self.variables {
            option("--env", variable);
        }
        arguments.push(images[&self.part].clone());
        arguments.extend(self.arguments);
        let relay = ToContainer {
            engine: engine.clone(),
            name: self.name,
        };
        client.args(arguments).client_of(Arc::new(relay))
    }
}

/// What the client needs of this process's environment: its HOME is the container's.
fn own_variables() -> impl Iterator<Item = (String, String)> {
    let home = std::env::var("HOME").ok();
    let config = home.map(|home| ("DOCKER_CONFIG".to_owned(), format!("{home}/.docker")));
    let own = std::env::vars().filter(|(variable, _)| variable.starts_with(ENGINE_VARIABLES));
    config.into_iter().chain(own)
}

/// The way to a container behind its client.
#[derive(Debug)]
struct ToContainer {
    engine: Engine,
    name: String,
}

impl Relay for ToContainer {
    fn signal(&self, signal: Signal) -> bool {
        let verb = match signal {
            Signal::KILL => "kill",
            Signal::STOP => "pause",
            Signal::CONT => "unpause",
            // The client passes them on.
            _ => return false,
        };
        self.engine.ask(&[verb, &self.name]).is_ok()
    }
}

/// The process of this machine that is the first one of the container `name`.
///
/// # Errors
///
/// When there is no such container, or it does not run.
pub fn pid_of(engine: &Engine, name: &str) -> Result<u32, String> {
    let told = engine.ask(&["inspect", "--format", "{{.State.Pid}}", name]);
    let told = told.map_err(|error| error.to_string())?;
    match told.parse() {
        Ok(0) => Err(format!("container {name} does not run")),
        Ok(pid) => Ok(pid),
        Err(_) => Err(format!(
            "`{}` says that container {name} has pid {told:?}",
            Runtime::ENGINE
        )),
    }
}
