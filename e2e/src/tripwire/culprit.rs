//! Who has the other end of a connection on this machine.

use std::{fs, net::SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{harness::TEST_VARIABLE, supervise::RUN_VARIABLE};

/// A process, and what it says it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Culprit {
    /// Its process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// The run that it is marked with.
    pub run: Option<String>,
    /// The test that it is marked with.
    pub test: Option<String>,
}

impl Culprit {
    /// The process that is connected from `peer`.
    pub(super) fn at(peer: SocketAddr) -> Option<Self> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let inode = tables.iter().find_map(|table| {
            let table = fs::read_to_string(table).ok()?;
            inode_of(&table, peer.port())
        })?;
        let link = format!("socket:[{inode}]");
        let pids = fs::read_dir("/proc").ok()?.flatten();
        let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.find(|pid| has_open(*pid, &link)).map(Self::of)
    }

    fn of(pid: u32) -> Self {
        let words = |file: &str| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let words = bytes.split(|byte| *byte == 0);
            words
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect::<Vec<_>>()
        };
        let environment = words("environ");
        let variable = |name: &str| {
            let mut values = environment
                .iter()
                .filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            values.next().map(str::to_owned)
        };
        Self {
            pid,
            command: words("cmdline").join(" ").trim_end().to_owned(),
            run: variable(RUN_VARIABLE),
            test: variable(TEST_VARIABLE),
        }
    }
}

/// The inode of the socket in `table` whose own port is `port`, and which somebody has open.
fn inode_of(table: &str, port: u16) -> Option<String> {
    let port = format!("{port:04X}");
    table.lines().find_map(|line| {
        let fields = line.split_ascii_whitespace().collect::<Vec<_>>();
        let (_, own) = fields.get(1)?.rsplit_once(':')?;
        let inode = *fields.get(9)?;
        (own == port && inode != "0").then(|| inode.to_owned())
    })
}

fn has_open(pid: u32, link: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"));
    let mut files = files.into_iter().flatten().flatten();
    files.any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_other_end_of_a_connection_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let culprit = Culprit::at(client.local_addr().unwrap()).unwrap();
        assert_eq!(culprit.pid, std::process::id());
        assert!(!culprit.command.is_empty());
    }
}
