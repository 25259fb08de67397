//! A request as it arrived: what is compared and recorded of it, and what is passed on.

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::cassette::Recording;

/// The largest request that is read, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

pub(super) struct Arrived {
    /// What decides about the answer.
    pub asked: Recording,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Arrived {
    /// Reads `request` to its end.
    ///
    /// # Errors
    ///
    /// The answer to one that cannot be read.
    pub(super) async fn read(request: Request) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST)
            .await
            .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()).into_response())?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let asked = Recording {
            method: parts.method.to_string(),
            // Below the base URL, wherever that is.
            path: path.strip_prefix("/v1").unwrap_or(path).to_owned(),
            body: value_of(&body),
        };
        Ok(Self {
            asked,
            method: parts.method,
            headers: parts.headers,
            body,
        })
    }

    /// The API key it came with.
    pub(super) fn key(&self) -> Option<String> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    }
}

/// The value of a body: JSON, a text, or nothing.
fn value_of(bytes: &[u8]) -> Value {
    match bytes {
        [] => Value::Null,
        bytes => serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
    }
}
