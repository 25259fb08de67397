//! What the hub answers.

use std::time::Duration;

use serde_json::{Value, json};

use super::{super::Gate, Received};

/// What comes before an answer.
#[derive(Clone, Debug)]
pub(super) enum Before {
    Pause(Duration),
    Wait(Gate),
}

/// An answer of the hub, and what comes before it.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) before: Vec<Before>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Status, headers, body.
    Whole(Whole),
    /// The request itself, as JSON.
    Echo,
    /// The head of an answer and the beginning of its body, then the end of the connection.
    Cut,
    /// No answer, ever.
    Silence,
}

/// A whole HTTP answer.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Response {
    /// Status 200 with `value`.
    pub fn json(value: Value) -> Self {
        Self::text(&value.to_string()).with_header("content-type", "application/json")
    }

    /// Status 200 with a text, which claims to be nothing else.
    pub fn text(body: &str) -> Self {
        Self::of(Kind::Whole(Whole {
            status: 200,
            headers: Vec::new(),
            body: body.to_owned(),
        }))
    }

    /// Status 200 that claims to be JSON and is none.
    pub fn malformed() -> Self {
        Self::text("{\"this is\": [ no JSON").with_header("content-type", "application/json")
    }

    /// An HTTP status, with a JSON body that says the same.
    pub fn status(code: u16) -> Self {
        Self::json(json!({"message": format!("scripted status {code}")})).with_status(code)
    }

    /// Status 200 with a JSON object of the request's `method`, `path`, `query`, `headers`, and `body`.
    pub fn echo() -> Self {
        Self::of(Kind::Echo)
    }

    /// The beginning of an answer, then the end of the connection.
    pub fn cut() -> Self {
        Self::of(Kind::Cut)
    }

    /// The request is read and never answered.
    pub fn silence() -> Self {
        Self::of(Kind::Silence)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, code: u16) -> Self {
        if let Kind::Whole(whole) = &mut self.kind {
            whole.status = code;
        }
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Kind::Whole(whole) = &mut self.kind {
            whole.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Only after `time`, for answers whose slowness is what the test is about.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.before.push(Before::Pause(time));
        self
    }

    /// Only once the test opens `gate`.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.before.push(Before::Wait(gate.clone()));
        self
    }

    /// Waits for what comes before; gives the whole answer to `received`, nothing when it is to be
    /// none.
    pub(super) async fn when_due(&self, received: &Received) -> Due {
        for before in &self.before {
            match before {
                Before::Pause(time) => tokio::time::sleep(*time).await,
                Before::Wait(gate) => gate.pass().await,
            }
        }
        match &self.kind {
            Kind::Whole(whole) => Due::Whole(whole.clone()),
            Kind::Echo => Due::Whole(Whole {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: received.to_json().to_string(),
            }),
            Kind::Cut => Due::Cut,
            Kind::Silence => std::future::pending().await,
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            before: Vec::new(),
            kind,
        }
    }
}

/// An answer that is due.
#[derive(Clone, Debug)]
pub(super) enum Due {
    Whole(Whole),
    Cut,
}
