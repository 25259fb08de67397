//! Whether a port can be had, and who has it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, TcpListener},
};

use stigmer_supervise::{PortHolder, free_port};

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error(
        "port {port} ({what}) is taken by {holder}; end that program, or choose another port with {variable}"
    )]
    Taken {
        port: u16,
        what: &'static str,
        holder: PortHolder,
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
            holder: PortHolder::of(port),
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
    fn clients_of_a_server_on_every_interface_use_loopback() {
        assert_eq!(dial_host("0.0.0.0"), "127.0.0.1");
        assert_eq!(dial_host("::"), "[::1]");
        assert_eq!(dial_host("127.0.0.1"), "127.0.0.1");
        assert_eq!(dial_host("localhost"), "localhost");
    }
}
