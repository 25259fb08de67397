//! HTTP requests of tasks.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::TryStreamExt as _;
use reqwest::{
    Client, Method, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::{Map, Value as Json, json};

use super::failure::{CallError, chain};
use crate::{
    engine::model::{HttpCall, HttpOutput},
    temporal::MAX_PAYLOAD,
};

/// The type of every error here.
const KIND: &str = "CallHTTP error";

/// Redirections that are followed where they are.
const MAX_REDIRECTIONS: usize = 10;

/// Sends requests.
#[derive(Clone, Debug)]
pub(super) struct HttpCaller {
    /// Takes a redirection for the answer.
    plain: Client,
    /// Follows redirections.
    following: Client,
}

impl HttpCaller {
    /// # Errors
    ///
    /// When the system gives no random numbers or the like.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = |policy: Policy| Client::builder().redirect(policy).build();
        Ok(Self {
            plain: client(Policy::none())?,
            following: client(Policy::limited(MAX_REDIRECTIONS))?,
        })
    }

    /// Sends `call`, whose secrets are revealed, and gives the output it asks for. `shown` is the URI
    /// for errors, without secrets.
    pub(super) async fn call(
        &self,
        call: &HttpCall,
        shown: &str,
        limit: Duration,
    ) -> Result<Json, CallError> {
        let what = format!("{} {shown}", call.method);
        let fatal = |message: String| CallError::fatal(KIND, format!("{message} ({what})"));
        let request = Request::new(call).map_err(fatal)?;
        let client = if call.redirect {
            &self.following
        } else {
            &self.plain
        };
        let mut builder = client
            .request(request.method, request.url.clone())
            .headers(request.headers.clone())
            .timeout(limit);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder
            .send()
            .await
            .map_err(|error| transport(error, limit, &what))?;
        let status = response.status();
        let refused = match status.as_u16() {
            300..400 => Some("CallHTTP returned 3xx status code"),
            400..500 => Some("CallHTTP returned 4xx status code"),
            500.. => Some("CallHTTP returned 5xx error"),
            _ => None,
        };
        if let Some(text) = refused {
            let reason = status.canonical_reason().unwrap_or_default();
            let message = format!("{text}: {} {reason} ({what})", status.as_u16());
            return Err(CallError {
                status: Some(status.as_u16()),
                retryable: status.is_server_error(),
                ..CallError::fatal(KIND, message)
            });
        }
        let answer = Answer::read(response, limit, &what).await?;
        let output = match call.output {
            HttpOutput::Raw => Json::String(BASE64_STANDARD.encode(&answer.body)),
            HttpOutput::Content => answer.content().map_err(fatal)?,
            HttpOutput::Response => json!({
                "request": {"method": call.method, "uri": call.endpoint.uri, "headers": texts(&request.headers)},
                "statusCode": answer.status,
                "headers": texts(&answer.headers),
                "content": answer.content().map_err(fatal)?,
            }),
        };
        match output.to_string().len() {
            fits if fits <= MAX_PAYLOAD => Ok(output),
            size => Err(fatal(format!(
                "the answer is {size} bytes of JSON, more than the {MAX_PAYLOAD} that fit one Temporal payload"
            ))),
        }
    }
}

/// A call in the terms of HTTP.
struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Request {
    fn new(call: &HttpCall) -> Result<Self, String> {
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| format!("{:?} is not an HTTP method", call.method))?;
        let mut url = Url::parse(&call.endpoint.uri)
            .map_err(|error| format!("the endpoint is not a URI: {error}"))?;
        match url.scheme() {
            "http" => {}
            "https" => return Err("https needs TLS, which this build does not have; put a local proxy in front of the service".to_owned()),
            other => return Err(format!("the scheme {other} is not http")),
        }
        for (name, value) in &call.query {
            let value = scalar(value).ok_or_else(|| {
                format!("query parameter {name} must be a text, a number or a boolean")
            })?;
            url.query_pairs_mut().append_pair(name, &value);
        }
        let mut headers = headers(&call.headers)?;
        let body = match &call.body {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text.clone().into_bytes()),
            Some(json) => {
                headers
                    .entry(CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
                Some(json.to_string().into_bytes())
            }
        };
        Ok(Self {
            method,
            url,
            headers,
            body,
        })
    }
}

fn headers(given: &BTreeMap<String, Json>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let text = scalar(value)
            .ok_or_else(|| format!("header {name} must be a text, a number or a boolean"))?;
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("{name:?} is not the name of a header"))?;
        // The value is not shown: it may be a secret.
        let value = HeaderValue::from_str(&text)
            .map_err(|_| format!("header {name} holds characters that headers cannot hold"))?;
        headers.insert(header, value);
    }
    Ok(headers)
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// An answer, read to its end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    async fn read(response: Response, limit: Duration, what: &str) -> Result<Self, CallError> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|error| transport(error, limit, what))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_PAYLOAD {
                let message = format!(
                    "the answer is larger than {MAX_PAYLOAD} bytes, which is what fits one Temporal payload ({what})"
                );
                return Err(CallError::fatal(KIND, message));
            }
        }
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// The JSON that the body is or says to be, else its text.
    fn content(&self) -> Result<Json, String> {
        let content_type = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let declared = essence == "application/json" || essence.ends_with("+json");
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Json::Null);
        }
        match serde_json::from_slice::<Json>(&self.body) {
            Ok(json) if declared || json.is_object() || json.is_array() => return Ok(json),
            Err(error) if declared => {
                return Err(format!("the answer says it is JSON and is not: {error}"));
            }
            _ => {}
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) => Ok(Json::String(text.to_owned())),
            Err(_) => Err(
                "the answer is neither JSON nor UTF-8 text, and a task can take nothing else; let the service answer in one of them".to_owned(),
            ),
        }
    }
}

fn texts(headers: &HeaderMap) -> Json {
    let mut texts = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = match texts.get(name.as_str()) {
            Some(Json::String(before)) => format!("{before}, {value}"),
            _ => value.into_owned(),
        };
        texts.insert(name.as_str().to_owned(), Json::String(joined));
    }
    Json::Object(texts)
}

/// A request without an answer. One that used up its time leaves none for another attempt.
fn transport(error: reqwest::Error, limit: Duration, what: &str) -> CallError {
    if error.is_timeout() {
        return CallError::fatal(
            KIND,
            format!(
                "CallHTTP timed out: no answer within {:.1} s ({what})",
                limit.as_secs_f64()
            ),
        );
    }
    // The URL may hold secrets.
    let message = format!("CallHTTP failed: {} ({what})", chain(&error.without_url()));
    CallError::passing(KIND, message)
}

#[cfg(test)]
mod tests;
