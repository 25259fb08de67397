//! The address of a server that somebody else runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a server that is not the run's own is reached, `host:port`. It speaks gRPC without TLS, as every
/// server of the stack does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerAddress(String);

impl ServerAddress {
    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let authority = match text.split_once("://") {
            None => text,
            Some(("http", authority)) => authority,
            Some(("https", _)) => {
                return Err(
                    "the stack speaks no TLS; give what ends the TLS an http:// address here"
                        .to_owned(),
                );
            }
            Some((scheme, _)) => return Err(format!("{scheme}:// is not spoken; use http://")),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = authority
            .rsplit_once(':')
            .ok_or("it names no port; use <host>:<port>")?;
        let is_bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || is_bare_ipv6 || host.contains(['/', '@', ' ', '?', '#']) {
            return Err("it is no address; use <host>:<port>".to_owned());
        }
        match port.parse::<u16>() {
            Ok(1..) => Ok(Self(authority.to_owned())),
            _ => Err(format!("{port:?} is no port; use 1 to 65535")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_with_or_without_http() {
        for (typed, address) in [
            ("localhost:7234", "localhost:7234"),
            ("http://10.0.0.7:80/", "10.0.0.7:80"),
            ("http://[::1]:7234", "[::1]:7234"),
        ] {
            assert_eq!(typed.parse::<ServerAddress>().unwrap().as_str(), address);
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        for (typed, told) in [
            ("https://example.com:443", "TLS"),
            ("grpc://example.com:443", "use http://"),
            ("example.com", "names no port"),
            ("example.com:", "is no port"),
            ("example.com:0", "is no port"),
            ("example.com:99999", "is no port"),
            (":7234", "is no address"),
            ("::1:7234", "is no address"),
            ("http://example.com/api:7234", "is no address"),
            ("user@example.com:7234", "is no address"),
            ("", "names no port"),
        ] {
            let error = typed.parse::<ServerAddress>().unwrap_err();
            assert!(
                error.contains(told) && !error.contains('\n'),
                "{typed}: {error}"
            );
        }
    }
}
