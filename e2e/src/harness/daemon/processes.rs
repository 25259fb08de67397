//! The process table, as far as one HOME is concerned.

use std::{collections::BTreeSet, fs};

use camino::Utf8Path;

use crate::supervise::Identity;

/// A live process that has a HOME in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeProcess {
    /// Which process.
    pub identity: Identity,
    /// The file name of its program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Every live process whose HOME is `home`, zombies excluded.
pub fn processes_of(home: &Utf8Path) -> Vec<HomeProcess> {
    let mark = format!("HOME={home}");
    let pids = fs::read_dir("/proc").into_iter().flatten();
    pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| process(pid, mark.as_bytes()))
        .collect()
}

fn process(pid: u32, mark: &[u8]) -> Option<HomeProcess> {
    let identity = Identity::of(pid)?;
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment
        .split(|byte| *byte == 0)
        .find(|pair| *pair == mark)?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = command
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    let program = words.next()?;
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let arguments = words.filter(|word| !word.is_empty()).collect();
    // The pid may have changed hands while its files were read.
    identity.is_alive().then_some(HomeProcess {
        identity,
        program,
        arguments,
    })
}

/// The TCP ports that `processes` listen on.
pub fn listening_ports(processes: &[HomeProcess]) -> Vec<u16> {
    const LISTEN: &str = "0A";
    ports(processes, LISTEN, LOCAL)
}

/// The TCP ports that `processes` are connected to.
pub fn remote_ports(processes: &[HomeProcess]) -> Vec<u16> {
    const ESTABLISHED: &str = "01";
    ports(processes, ESTABLISHED, REMOTE)
}

/// The columns of a socket's two addresses.
const LOCAL: usize = 1;
const REMOTE: usize = 2;

/// The ports in `column` of the sockets of `processes` that are in `state`.
fn ports(processes: &[HomeProcess], state: &str, column: usize) -> Vec<u16> {
    let files = processes.iter().flat_map(|process| {
        let files = fs::read_dir(format!("/proc/{}/fd", process.identity.pid));
        files.into_iter().flatten().flatten()
    });
    let sockets: BTreeSet<String> = files
        .filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            let inode = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|table| fs::read_to_string(table).unwrap_or_default());
    let mut ports: Vec<u16> = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|line| port(line, &sockets, state, column))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn port(line: &str, sockets: &BTreeSet<String>, state: &str, column: usize) -> Option<u16> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let own = *fields.get(3)? == state && sockets.contains(*fields.get(9)?);
    let (_, port) = fields.get(column)?.rsplit_once(':')?;
    own.then(|| u16::from_str_radix(port, 16).ok())?
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, process::Command};

    use super::*;

    #[test]
    fn a_process_is_found_by_its_home_and_others_are_not() {
        let home = format!("/home/of-test-{}", std::process::id());
        let mut own = Command::new("sleep")
            .arg("60")
            .env("HOME", &home)
            .spawn()
            .unwrap();
        let mut other = Command::new("sleep")
            .arg("60")
            .env("HOME", format!("{home}x"))
            .spawn()
            .unwrap();
        let found = processes_of(Utf8Path::new(&home));
        let pids: Vec<_> = found.iter().map(|process| process.identity.pid).collect();
        assert_eq!(pids, [own.id()]);
        assert_eq!(
            (found[0].program.as_str(), &found[0].arguments[..]),
            ("sleep", &["60".to_owned()][..])
        );
        for child in [&mut own, &mut other] {
            child.kill().unwrap();
        }
        // Killed and not reaped yet: a zombie does not count.
        let gone = || processes_of(Utf8Path::new(&home)).is_empty();
        while !gone() {
            std::thread::yield_now();
        }
        for child in [&mut own, &mut other] {
            child.wait().unwrap();
        }
    }

    #[test]
    fn listening_ports_are_those_of_the_given_processes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = HomeProcess {
            identity: Identity::own().unwrap(),
            program: String::new(),
            arguments: Vec::new(),
        };
        let port = listener.local_addr().unwrap().port();
        assert!(listening_ports(&[own]).contains(&port));
        assert_eq!(listening_ports(&[]), Vec::<u16>::new());
    }

    #[test]
    fn remote_ports_are_those_that_the_given_processes_are_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let own = || HomeProcess {
            identity: Identity::own().unwrap(),
            program: String::new(),
            arguments: Vec::new(),
        };
        assert!(!remote_ports(&[own()]).contains(&address.port()));
        let _connection = std::net::TcpStream::connect(address).unwrap();
        assert!(remote_ports(&[own()]).contains(&address.port()));
        assert_eq!(remote_ports(&[]), Vec::<u16>::new());
    }
}
