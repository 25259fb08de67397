//! The server to report to.

use reqwest::Url;
use stigmer_process::{SettingError, text_or};

use super::{header_safe, refused};

/// The server to report to.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Its address, `host:port`.
    pub address: String,
    /// Sent as bearer token.
    pub api_key: String,
}

impl BackendSettings {
    /// Reads them from the environment.
    pub fn from_env() -> Result<Self, SettingError> {
        let variable = "STIGMER_BACKEND_ENDPOINT";
        let value = text_or(variable, "localhost:7234");
        let address =
            backend_address(&value).map_err(|expected| refused(variable, value, expected))?;
        let api_key = text_or("STIGMER_API_KEY", "dummy-local-key");
        header_safe("STIGMER_API_KEY", &api_key)?;
        Ok(Self { address, api_key })
    }
}

/// The `host:port` in a backend endpoint, which may be written with `http://` in front.
fn backend_address(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "a host:port address without TLS";
    let address = value
        .strip_prefix("http://")
        .unwrap_or(value)
        .trim_end_matches('/');
    let url = Url::parse(&format!("http://{address}")).map_err(|_| EXPECTED)?;
    let bare =
        url.has_host() && url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if value.starts_with("https://") || !bare || url.port() == Some(443) {
        return Err(EXPECTED);
    }
    Ok(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_host_and_port_with_or_without_scheme() {
        assert_eq!(backend_address("localhost:7234").unwrap(), "localhost:7234");
        assert_eq!(
            backend_address("http://127.0.0.1:40211/").unwrap(),
            "127.0.0.1:40211"
        );
        for value in [
            "https://host:7234",
            "host:443",
            "host:port",
            "host:1/path",
            "http://",
        ] {
            assert!(backend_address(value).is_err(), "{value}");
        }
    }
}
