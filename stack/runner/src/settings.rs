//! What every runner is told by its environment (`docs/contract/processes.md`).

use stigmer_process::{SettingError, number, text_or};
use tonic::transport::Uri;

/// The server to report to.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Its address, `host:port`.
    pub address: String,
    /// Sent as bearer token.
    pub api_key: String,
}

impl BackendSettings {
    /// Reads `STIGMER_BACKEND_ENDPOINT` and `STIGMER_API_KEY`.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub fn from_env() -> Result<Self, SettingError> {
        let variable = "STIGMER_BACKEND_ENDPOINT";
        let value = text_or(variable, "localhost:7234");
        let address = address(&value).map_err(|expected| refused(variable, value, expected))?;
        let api_key = text_or("STIGMER_API_KEY", "dummy-local-key");
        // The key becomes a header; the error must not repeat it.
        if !api_key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            let shown = "(not shown)".to_owned();
            return Err(refused("STIGMER_API_KEY", shown, "printable ASCII"));
        }
        Ok(Self { address, api_key })
    }
}

/// Activities that run at a time: `TEMPORAL_MAX_CONCURRENCY`, or `default`.
///
/// # Errors
///
/// When it is no number above 0.
pub fn max_concurrency(default: usize) -> Result<usize, SettingError> {
    let variable = "TEMPORAL_MAX_CONCURRENCY";
    match number(variable, default)? {
        0 => Err(refused(variable, "0".to_owned(), "a number above 0")),
        number => Ok(number),
    }
}

/// The error that `variable` holds `value`, which is not `expected`.
pub fn refused(variable: &'static str, value: String, expected: &'static str) -> SettingError {
    SettingError {
        variable,
        value,
        expected,
    }
}

/// The `host:port` in a backend endpoint, which may be written with `http://` in front.
fn address(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "a host:port address without TLS";
    let address = value
        .strip_prefix("http://")
        .unwrap_or(value)
        .trim_end_matches('/');
    let uri = format!("http://{address}")
        .parse::<Uri>()
        .map_err(|_| EXPECTED)?;
    let authority = uri.authority().ok_or(EXPECTED)?;
    let bare = authority.as_str() == address && !address.contains('@');
    if !bare || authority.host().is_empty() || matches!(authority.port_u16(), None | Some(443)) {
        return Err(EXPECTED);
    }
    Ok(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_host_and_port_with_or_without_scheme() {
        for (value, expected) in [
            ("localhost:7234", "localhost:7234"),
            ("http://127.0.0.1:40211/", "127.0.0.1:40211"),
            ("[::1]:7234", "[::1]:7234"),
        ] {
            assert_eq!(address(value).unwrap(), expected);
        }
        for value in [
            "https://host:7234",
            "host:443",
            "host:port",
            "host:1/path",
            "host:1?query",
            "host",
            "user@host:1",
            "user:word@host:1",
            ":7234",
            "http://",
            "",
        ] {
            assert!(address(value).is_err(), "{value}");
        }
    }
}
