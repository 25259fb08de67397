//! Where a part runs: as a process of this machine, or in a container.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::ContainerPart;

use super::{Address, Container, Containers, container::pid_of, image};
use crate::{
    services::free_port,
    supervise::{Signal, Spec},
};

/// The first process of a container, as it sees itself.
const FIRST: u32 = 1;

/// What starts one part.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// Its name in reports.
    pub name: &'a str,
    /// Its program on this machine.
    pub program: &'a Utf8Path,
    /// Arguments of the program.
    pub arguments: Vec<String>,
    /// Everything that is in its environment.
    pub variables: Vec<(String, String)>,
    /// Its log.
    pub log: &'a Utf8Path,
}

/// Where one part runs.
#[derive(Debug)]
pub enum Place {
    /// As a process of this machine, which the rest of the stack reaches at this address.
    Process(Ipv4Addr),
    /// In a container.
    Container(Box<Contained>),
}

/// A part in a container.
#[derive(Debug)]
pub struct Contained {
    containers: Containers,
    part: ContainerPart,
    /// Begins the names of its containers: a part that is started again is in another one.
    name: String,
    /// The only folder of this machine that it sees.
    folder: Utf8PathBuf,
    address: Address,
}

impl Place {
    /// In a container of `containers` if that has an image of `part`. There it sees `folder` and
    /// nothing else of this machine; `name` is nobody else's in the run.
    ///
    /// # Errors
    ///
    /// When no address can be had.
    pub fn of(
        containers: Option<&Containers>,
        part: ContainerPart,
        name: &str,
        folder: &Utf8Path,
    ) -> io::Result<Self> {
        let Some(containers) = containers else {
            return Ok(Self::Process(Ipv4Addr::LOCALHOST));
        };
        if !containers.has(part) {
            return Ok(Self::Process(containers.host()));
        }
        Ok(Self::Container(Box::new(Contained {
            containers: containers.clone(),
            part,
            name: name.to_owned(),
            folder: folder.to_owned(),
            address: containers.network.address()?,
        })))
    }

    /// Where it may listen, as nobody else does; another port each time when it is a process.
    ///
    /// # Errors
    ///
    /// When the system has no free port.
    pub fn socket(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Process(host) => Ok((*host, free_port()?).into()),
            Self::Container(contained) => Ok(contained.address.socket.into()),
        }
    }

    /// The address of the machine, or the container, that it runs on.
    pub fn ip(&self) -> Ipv4Addr {
        match self {
            Self::Process(host) => *host,
            Self::Container(contained) => *contained.address.socket.ip(),
        }
    }

    /// What starts it, for the `start`th time.
    pub fn spec(&self, launch: Launch<'_>, start: usize) -> Spec {
        let Launch {
            name,
            program,
            arguments,
            variables,
            log,
        } = launch;
        match self {
            Self::Process(_) => {
                let spec = Spec::new(name, program, log).args(arguments).env_clear();
                let add = |spec: Spec, (variable, value)| spec.env(variable, value);
                variables.into_iter().fold(spec, add)
            }
            Self::Container(contained) => {
                // An image has nothing that could be found on this machine's.
                let variables = variables.into_iter().filter(|(name, _)| name != "PATH");
                let container = contained.container(start).args(arguments).envs(variables);
                container.spec(name, log)
            }
        }
    }

    /// The pid that the part sees, given its child's.
    pub fn pid_inside(&self, child: u32) -> u32 {
        match self {
            Self::Process(_) => child,
            Self::Container(_) => FIRST,
        }
    }

    /// The pid of the part on this machine, given its child's and which start that was.
    ///
    /// # Errors
    ///
    /// Why the engine does not say.
    pub fn pid(&self, child: u32, start: usize) -> Result<u32, String> {
        match self {
            Self::Process(_) => Ok(child),
            Self::Container(contained) => {
                let container = contained.container(start);
                pid_of(&contained.containers.engine, container.name())
            }
        }
    }

    /// Whether `signal` does anything to the part, given its child's pid and which start that was. The
    /// first process of a container is sent no signal before it has a handler for it; any other process is
    /// ended by it.
    pub fn hears(&self, signal: Signal, child: u32, start: usize) -> bool {
        let Self::Container(contained) = self else {
            return true;
        };
        let Ok(pid) = self.pid(child, start) else {
            return false;
        };
        let of_process = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        let is_program = of_process("cmdline").is_ok_and(|line| {
            // Before, it is what the engine makes the container with, which has handlers of its own.
            line.split('\0').next() == Some(&image::program_in(contained.part))
        });
        is_program && of_process("status").is_ok_and(|status| catches(&status, signal))
    }

    /// The container that it is in since the `start`th time; nothing for a process.
    pub fn container(&self, start: usize) -> Option<String> {
        match self {
            Self::Process(_) => None,
            Self::Container(contained) => Some(contained.container(start).name().to_owned()),
        }
    }

    /// Where the part sees its own program, which is `program` on this machine.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn executable(&self, program: &Utf8Path) -> io::Result<Utf8PathBuf> {
        match self {
            Self::Process(_) => program.canonicalize_utf8(),
            Self::Container(contained) => Ok(image::program_in(contained.part).into()),
        }
    }
}

/// Whether a process with this `/proc/<pid>/status` has a handler for `signal`.
fn catches(status: &str, signal: Signal) -> bool {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

impl Contained {
    fn container(&self, start: usize) -> Container<'_> {
        let name = format!("{}-{start}", self.name);
        Container::of(&self.containers, self.part, &name)
            .at(self.address.socket.ip())
            .with_folder(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_hears_what_it_has_a_handler_for() {
        let status = "SigIgn:\t0000000000001000\nSigCgt:\t0000000000004003\nCapInh:\t0\n";
        for (signal, heard) in [
            (Signal::HUP, true),
            (Signal::INT, true),
            (Signal::TERM, true),
            (Signal::PIPE, false),
            (Signal::QUIT, false),
        ] {
            assert_eq!(catches(status, signal), heard, "{signal:?}");
        }
        assert!(!catches("", Signal::TERM));
    }
}
