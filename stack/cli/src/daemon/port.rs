//! Whether a port can be had, and who has it.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, TcpListener},
};

use stigmer_supervise::free_port;

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error(
        "port {port} ({what}) is taken by {holder}; end that program, or choose another port with {variable}"
    )]
    Taken {
        port: u16,
        what: &'static str,
        holder: Holder,
        variable: &'static str,
    },
    #[error("{host}:{port} ({what}) cannot be listened on: {source}; see {variable}")]
    Unusable {
        host: String,
        port: u16,
        what: &'static str,
        variable: &'static str,
        source: io::Error,
    },
    #[error("the system gives no free port for {what}: {source}")]
    None {
        what: &'static str,
        source: io::Error,
    },
}

/// What a port is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub what: &'static str,
    pub variable: &'static str,
    pub host: &'a str,
    /// 0 lets the system choose.
    pub port: u16,
}

/// The port to use: the wanted one, if nobody has it.
pub fn reserve(wanted: Wanted<'_>) -> Result<u16, PortError> {
    let Wanted {
        what,
        variable,
        host,
        port,
    } = wanted;
    if port == 0 {
        return free_port().map_err(|source| PortError::None { what, source });
    }
    match TcpListener::bind((host, port)) {
        Ok(_) => Ok(port),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(PortError::Taken {
            port,
            what,
            holder: Holder::of(port),
            variable,
        }),
        Err(source) => Err(PortError::Unusable {
            host: host.to_owned(),
            port,
            what,
            variable,
            source,
        }),
    }
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    Process {
        pid: u32,
        name: String,
    },
    /// A process of somebody else, or a system without `/proc`.
    Unknown,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process { pid, name } => write!(f, "process {pid} ({name})"),
            Self::Unknown => f.write_str("another program"),
        }
    }
}

impl Holder {
    /// The process that listens on `port`.
    pub fn of(port: u16) -> Self {
        let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| listening_inodes(&table, port))
            .collect();
        let wanted: Vec<String> = inodes.iter().map(|i| format!("socket:[{i}]")).collect();
        let pids = fs::read_dir("/proc").into_iter().flatten();
        pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .find(|pid| holds(*pid, &wanted))
            .map_or(Self::Unknown, |pid| Self::Process {
                pid,
                name: name_of(pid),
            })
    }
}

fn holds(pid: u32, sockets: &[String]) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"));
    files.into_iter().flatten().any(|file| {
        let target = file.and_then(|file| fs::read_link(file.path()));
        target.is_ok_and(|target| sockets.iter().any(|socket| target.as_os_str() == &**socket))
    })
}

fn name_of(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The inodes of the sockets in a table of the kernel that listen on `port`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == LISTEN;
        listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().filter_map(row).collect()
}

/// The host that clients use for a server that is bound to `host`.
pub fn dial_host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(address)) if address.is_unspecified() => "[::1]".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(port: u16) -> Wanted<'static> {
        Wanted {
            what: "the API",
            variable: "GRPC_PORT",
            host: "127.0.0.1",
            port,
        }
    }

    #[test]
    fn a_taken_port_is_told_with_its_holder_and_the_variable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = reserve(wanted(port)).unwrap_err().to_string();
        let own = format!(
            "port {port} (the API) is taken by process {} (",
            std::process::id()
        );
        assert!(error.starts_with(&own), "{error}");
        assert!(error.ends_with("GRPC_PORT"), "{error}");
    }

    #[test]
    fn a_free_port_is_kept_and_zero_is_replaced() {
        let port = free_port().unwrap();
        assert_eq!(reserve(wanted(port)).unwrap(), port);
        assert_ne!(reserve(wanted(0)).unwrap(), 0);
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1C42 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n\
            1: 0100007F:1C42 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n\
            2: 0100007F:1C43 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n";
        assert_eq!(listening_inodes(table, 0x1C42), ["111"]);
    }

    #[test]
    fn clients_of_a_server_on_every_interface_use_loopback() {
        assert_eq!(dial_host("0.0.0.0"), "127.0.0.1");
        assert_eq!(dial_host("::"), "[::1]");
        assert_eq!(dial_host("127.0.0.1"), "127.0.0.1");
        assert_eq!(dial_host("localhost"), "localhost");
    }
}
