//! Asking a model over the OpenAI-compatible chat API.

mod answer;
mod error;
mod models;
mod request;
mod sse;
#[cfg(test)]
mod tests;
mod tool_request;

use std::{
    collections::VecDeque,
    error::Error as _,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, Url, header::CONTENT_TYPE, redirect::Policy};
use tokio::time::timeout;

use self::{
    answer::Answer,
    error::excerpt,
    sse::{Event, SseDecoder},
};
pub use self::{
    answer::Usage,
    error::{Failure, LlmError},
    request::{ChatMessage, ChatRequest, Role, ToolSpec},
    tool_request::ToolRequest,
};
use crate::settings::LlmSettings;

/// Silence in the middle of an answer that counts as its end. Before the first token there is no
/// such limit: a large model on a small machine reads a long prompt for minutes.
const STALL: Duration = Duration::from_secs(120);

/// How long figures may take to follow the last token.
const FIGURES: Duration = Duration::from_secs(5);

/// A model that can be asked.
#[derive(Clone, Debug)]
pub struct LlmClient {
    http: Client,
    url: Url,
    settings: LlmSettings,
}

impl LlmClient {
    /// A client of the API in the settings. Nothing is sent yet.
    pub fn new(settings: LlmSettings) -> reqwest::Result<Self> {
        let http = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // A request that lands on a connection the server is about to close cannot be repeated.
            .pool_max_idle_per_host(0)
            // A redirected POST turns into a GET; its status makes a better error.
            .redirect(Policy::none())
            // Without TLS the model is near, and a proxy of the environment is not meant for it.
            .no_proxy()
            .build()?;
        let mut url = settings.base_url.clone();
        url.set_path(&format!("{}/chat/completions", url.path()));
        Ok(Self {
            http,
            url,
            settings,
        })
    }

    /// The model of executions that name none.
    pub fn default_model(&self) -> &str {
        &self.settings.model
    }

    /// Asks a model. Dropping the stream, or this call, stops the model.
    pub async fn chat(&self, request: &ChatRequest<'_>) -> Result<ChatStream, LlmError> {
        let started = Instant::now();
        let body = request::body(&self.settings, request);
        let mut request = self.http.post(self.url.clone()).json(&body);
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key);
        }
        match open(request).await {
            Ok(response) => Ok(ChatStream::new(self.shown_url(), response, started)),
            Err(what) => Err(LlmError {
                url: self.shown_url(),
                what,
            }),
        }
    }

    /// The URL without the credentials it may hold.
    fn shown_url(&self) -> String {
        without_credentials(&self.url)
    }
}

/// A URL as it may be shown.
fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() || !url.username().is_empty() {
        // An http URL with a host takes any credentials.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
    }
    url.into()
}

/// Sends the request and checks that an event stream begins.
async fn open(request: reqwest::RequestBuilder) -> Result<Response, Failure> {
    let response = request
        .send()
        .await
        .map_err(|e| Failure::Unreachable(cause(e)))?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status {
            status: status.to_string(),
            body: body_excerpt(response).await,
        });
    }
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match content_type {
        Some(value) if value.starts_with("text/event-stream") => Ok(response),
        other => Err(Failure::NotAStream {
            content_type: other.unwrap_or_else(|| "no content type".to_owned()),
            body: body_excerpt(response).await,
        }),
    }
}

/// The beginning of a body that explains an error; it is not worth a long wait.
async fn body_excerpt(mut response: Response) -> String {
    const ENOUGH: usize = 16 * 1024;
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= ENOUGH {
                break;
            }
        }
    };
    // What has come by then is shown.
    let _ = timeout(Duration::from_secs(2), read).await;
    excerpt(&String::from_utf8_lossy(&body))
}

/// The innermost cause of a transport error: the outer ones only say that a request failed.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

/// An answer as it comes.
#[derive(Debug)]
pub struct ChatStream {
    url: String,
    response: Response,
    decoder: SseDecoder,
    events: VecDeque<Event>,
    answer: Answer,
    started: Instant,
    first_token: Option<Duration>,
}

/// What is known of an answer once it is whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The model that answered, as it names itself.
    pub model: Option<String>,
    /// Why it stopped.
    pub finish_reason: Option<String>,
    /// What it cost, if the server tells.
    pub usage: Option<Usage>,
    /// From the request to the first text.
    pub first_token: Duration,
    /// From the request to the end.
    pub total: Duration,
}

impl ChatStream {
    fn new(url: String, response: Response, started: Instant) -> Self {
        Self {
            url,
            response,
            decoder: SseDecoder::default(),
            events: VecDeque::new(),
            answer: Answer::new(),
            started,
            first_token: None,
        }
    }

    /// The next piece of the answer's text, or `None` once the answer is whole.
    pub async fn next(&mut self) -> Result<Option<String>, LlmError> {
        self.advance().await.map_err(|what| LlmError {
            url: self.url.clone(),
            what,
        })
    }

    async fn advance(&mut self) -> Result<Option<String>, Failure> {
        loop {
            while let Some(event) = self.events.pop_front() {
                let text = match event {
                    Event::Data(data) => self.answer.take(&data)?,
                    Event::Error(text) => return Err(error::AnswerError::Reported(text).into()),
                };
                if let Some(text) = text {
                    self.first_token
                        .get_or_insert_with(|| self.started.elapsed());
                    return Ok(Some(text));
                }
            }
            if self.answer.is_done() || !self.read().await? {
                self.answer.check()?;
                return Ok(None);
            }
        }
    }

    /// Reads more events; `false` at the end of the stream.
    async fn read(&mut self) -> Result<bool, Failure> {
        let finished = self.answer.is_finished();
        let limit = match (finished, self.answer.has_begun()) {
            (true, _) => Some(FIGURES),
            (false, true) => Some(STALL),
            (false, false) => None,
        };
        let chunk = match limit {
            None => self.response.chunk().await,
            Some(limit) => match timeout(limit, self.response.chunk()).await {
                Ok(chunk) => chunk,
                Err(_) if finished => return Ok(false),
                Err(_) => return Err(Failure::Stalled(limit)),
            },
        };
        match chunk {
            Ok(Some(bytes)) => {
                self.events.extend(self.decoder.feed(&bytes)?);
                Ok(true)
            }
            Ok(None) => {
                // Half an event at the end is none; whether anything is missing, the answer knows.
                let last = self.decoder.finish().ok().flatten();
                let whole = last
                    .filter(|event| matches!(event, Event::Data(data) if Answer::is_whole(data)));
                Ok(whole.map(|event| self.events.push_back(event)).is_some())
            }
            Err(_) if finished => Ok(false),
            Err(error) => Err(Failure::Lost {
                characters: self.answer.characters(),
                cause: cause(error),
            }),
        }
    }

    /// The tools that the model asks for, in its order, each with an id.
    pub fn tool_requests(&self) -> Vec<ToolRequest> {
        self.answer.tool_requests()
    }

    /// The figures of the answer, after [`ChatStream::next`] gave its end.
    pub fn figures(&self) -> Figures {
        let total = self.started.elapsed();
        Figures {
            model: self.answer.model.clone(),
            finish_reason: self.answer.finish_reason.clone(),
            usage: self.answer.usage,
            first_token: self.first_token.unwrap_or(total),
            total,
        }
    }
}
