//! The hub: one HTTP server in place of every outside host. A fixture that calls several hosts puts
//! the host in front of the path (`/api-dev.example.com/v1/process`), so that they stay apart here.

mod call;
mod response;
mod script;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::IntoResponse,
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::listening::Listening;
use crate::harness::{Journal, faults};
pub use call::{Call, Received};
pub use response::Response;
use response::{Due, Whole};
use script::Script;

/// The largest request that is read, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// A running hub. Ends when dropped.
#[derive(Debug)]
pub struct Hub {
    listening: Listening,
    edge: Arc<Edge>,
}

#[derive(Debug)]
struct Edge {
    start: Instant,
    state: Mutex<Traffic>,
    journal: Journal,
}

/// What changes from call to call.
#[derive(Debug, Default)]
struct Traffic {
    script: Script,
    calls: u64,
    open: usize,
    most_open: usize,
}

impl Hub {
    /// Listens on a free loopback port.
    pub(crate) fn start(journal: Journal) -> io::Result<Self> {
        let edge = Arc::new(Edge {
            start: Instant::now(),
            state: Mutex::default(),
            journal,
        });
        let router = Router::new().fallback(answer).with_state(edge.clone());
        let listening = Listening::start(router)?;
        Ok(Self { listening, edge })
    }

    /// `http://127.0.0.1:<port>`, for a fixture at synthesis.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    /// The address of `path` on the hub.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url())
    }

    /// `call` has to come once before the test ends, and is answered with `response`.
    pub fn expect(&self, call: Call, response: Response) {
        self.expect_times(1, call, response);
    }

    /// `call` has to come `times` times.
    pub fn expect_times(&self, times: usize, call: Call, response: Response) {
        self.edge.state().script.expect(call, times, response);
    }

    /// `call` may come any number of times, or never. A later answer for the same call replaces this
    /// one.
    pub fn always(&self, call: Call, response: Response) {
        self.edge.state().script.always(call, response);
    }

    /// Every call so far, in the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.edge.state().script.received.clone()
    }

    /// How many calls are being answered now.
    pub fn open_calls(&self) -> usize {
        self.edge.state().open
    }

    /// The most calls that were being answered at the same time.
    pub fn most_open_calls(&self) -> usize {
        self.edge.state().most_open
    }

    /// Closes the port: calls in flight are cut off, new ones are refused.
    pub fn close(&self) {
        self.edge.journal.write(json!({"port": "closed"}));
        faults::note("the hub is closed");
        self.listening.close();
    }

    /// Opens the port again.
    ///
    /// # Errors
    ///
    /// When somebody else took it.
    pub fn reopen(&self) -> io::Result<()> {
        self.edge.journal.write(json!({"port": "open"}));
        self.listening.open()
    }

    /// Unexpected calls, and expectations that nothing used.
    pub(crate) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        self.edge.state().script.complaints()
    }
}

impl Edge {
    fn state(&self) -> MutexGuard<'_, Traffic> {
        // The script stays usable whatever a panicking test was doing with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is being answered, until it is, or until the caller goes away.
struct Open {
    edge: Arc<Edge>,
    number: u64,
    start: Instant,
    answered: bool,
}

impl Open {
    fn new(edge: &Arc<Edge>) -> Self {
        let mut state = edge.state();
        state.calls += 1;
        state.open += 1;
        state.most_open = state.most_open.max(state.open);
        let number = state.calls;
        drop(state);
        Self {
            edge: edge.clone(),
            number,
            start: Instant::now(),
            answered: false,
        }
    }

    fn note(&mut self, answer: &Value) {
        self.answered = true;
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.edge
            .journal
            .write(json!({"request": self.number, "ms": ms, "answer": answer}));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.answered {
            self.note(&json!({"none": "the caller went away"}));
        }
        // Last, so that whoever sees no open call finds all of them in the journal.
        self.edge.state().open -= 1;
    }
}

async fn answer(State(edge): State<Arc<Edge>>, request: Request) -> axum::response::Response {
    let mut open = Open::new(&edge);
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, LARGEST).await {
        Ok(body) => body,
        Err(error) => {
            let what = format!("a body that cannot be read: {error}");
            open.note(&json!({"status": 400, "body": what}));
            return (StatusCode::BAD_REQUEST, what).into_response();
        }
    };
    let received = received(open.number, edge.start.elapsed(), &parts, &body);
    edge.journal
        .write(json!({"request": open.number, "call": received.to_json()}));
    let response = edge.state().script.response_to(received.clone());
    match response.when_due(&received).await {
        Due::Whole(whole) => {
            open.note(&json!({"status": whole.status, "body": whole.body}));
            whole.into_response()
        }
        Due::Cut => {
            open.note(&json!({"cut": true}));
            let half = stream::once(async { Ok(Bytes::from_static(b"{\"half\": ")) });
            let cut = stream::once(async {
                // The server sends what it has before it waits.
                tokio::task::yield_now().await;
                Err(io::Error::other("cut by the script"))
            });
            Body::from_stream(half.chain(cut)).into_response()
        }
    }
}

fn received(number: u64, at: Duration, parts: &Parts, body: &[u8]) -> Received {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    Received {
        number,
        at,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

impl IntoResponse for Whole {
    fn into_response(self) -> axum::response::Response {
        let mut answer = axum::http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            answer = answer.header(name, value);
        }
        answer
            .body(Body::from(self.body))
            // Both come from tests; what HTTP does not know is a mistake there.
            .expect("a status and headers that HTTP has")
    }
}
