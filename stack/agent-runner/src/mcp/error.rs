//! How speaking to an MCP server fails, in words for people and models.

use std::error::Error;

use rmcp::{
    ErrorData, ServiceError, service::ClientInitializeError,
    transport::streamable_http_client::StreamableHttpError,
};

use super::stdio::Fault;
use crate::text::beginning;

/// The longest foreign text that an error repeats, in characters.
const SHOWN: usize = 500;

/// Why the handshake failed.
pub fn handshake(error: &ClientInitializeError, fault: &Fault) -> String {
    match error {
        ClientInitializeError::JsonRpcError(data) => refused(data),
        ClientInitializeError::TransportError { error, .. } => {
            transport(error.error.as_ref(), fault)
        }
        ClientInitializeError::ConnectionClosed(_) => closed(fault),
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_) => {
            "it answered the handshake with something else".to_owned()
        }
        other => beginning(&other.to_string(), SHOWN),
    }
}

/// Why a request failed.
pub fn request(error: &ServiceError, fault: &Fault) -> String {
    match error {
        ServiceError::McpError(data) => refused(data),
        ServiceError::TransportSend(error) => transport(error.error.as_ref(), fault),
        ServiceError::TransportClosed => closed(fault),
        ServiceError::UnexpectedResponse => {
            format!(
                "it answered with something that is no result{}",
                fault.noise_seen()
            )
        }
        other => beginning(&other.to_string(), SHOWN),
    }
}

fn refused(data: &ErrorData) -> String {
    beginning(
        &format!("it answered with error {}: {}", data.code.0, data.message),
        SHOWN,
    )
}

fn closed(fault: &Fault) -> String {
    match fault.end() {
        Some(how) => format!("it {how}{}", fault.noise_seen()),
        None => "it closed the connection".to_owned(),
    }
}

/// The innermost cause; outer ones repeat the URL, which may hold a key.
fn transport(error: &(dyn Error + Send + Sync + 'static), fault: &Fault) -> String {
    if let Some(how) = fault.end() {
        return format!("it {how}{}", fault.noise_seen());
    }
    let mut innermost: &(dyn Error + 'static) = error;
    loop {
        innermost = match innermost.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            Some(StreamableHttpError::Client(inner)) => match inner.source() {
                Some(source) => source,
                None => return "the HTTP request failed".to_owned(),
            },
            _ => match innermost.source() {
                Some(source) => source,
                None => return beginning(&innermost.to_string(), SHOWN),
            },
        }
    }
}
