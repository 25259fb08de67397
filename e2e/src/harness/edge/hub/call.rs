//! What comes in at the hub: calls as they arrived, and calls as a test expects them.

use std::{collections::BTreeMap, fmt, time::Duration};

use axum::http::Method;
use serde_json::{Value, json};

/// A call as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// When it had arrived as a whole, since the hub was started.
    pub at: Duration,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What stands behind the `?`, or an empty text.
    pub query: String,
    /// Headers by their names in lower case; several of one name are joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    pub body: String,
}

impl Received {
    /// The header `name`, in any case, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(&name.to_ascii_lowercase())
            .map_or("", String::as_str)
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Method and path with query, for reports.
    pub fn summary(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }

    /// All of it, as JSON.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "method": self.method, "path": self.path, "query": self.query,
            "headers": self.headers, "body": self.body,
        })
    }
}

/// A call as a test expects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    method: Method,
    path: String,
}

impl Call {
    /// `GET` of `path`, which starts with a slash; a query in the request does not matter.
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST` to `path`.
    pub fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    /// Any other method.
    pub fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
        }
    }

    pub(super) fn fits(&self, received: &Received) -> bool {
        received.method == self.method.as_str() && received.path == self.path
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
