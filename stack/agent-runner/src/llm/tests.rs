//! The client against a small HTTP server that says what a test tells it to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use super::{models::ModelsError, *};

const SOON: Duration = Duration::from_secs(10);

/// What the server answers, and what it was asked.
#[derive(Clone)]
struct Script {
    status: StatusCode,
    content_type: &'static str,
    /// Pieces of the body, each sent on its own; an error breaks the connection.
    pieces: Vec<Result<Bytes, &'static str>>,
    /// The body does not end.
    open_end: bool,
    requests: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    /// Tells when the server let go of an answer.
    dropped: Option<mpsc::UnboundedSender<()>>,
}

impl Script {
    fn stream(pieces: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/event-stream; charset=utf-8",
            pieces: pieces
                .into_iter()
                .map(|piece| Ok(Bytes::from(piece.into())))
                .collect(),
            open_end: false,
            requests: Arc::default(),
            dropped: None,
        }
    }

    /// Starts the server; it ends with the test's runtime.
    async fn serve(self) -> LlmClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!(
            "http://{}/v1",
            listener.local_addr().expect("a bound address")
        );
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        LlmClient::new(settings(&base_url)).expect("a client")
    }
}

/// Sends when it is dropped.
struct Farewell(Option<mpsc::UnboundedSender<()>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            let _ = dropped.send(());
        }
    }
}

async fn answer(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> Response {
    let request = serde_json::from_slice(&body).expect("a JSON request");
    script.requests.lock().unwrap().push((headers, request));
    let farewell = Farewell(script.dropped.clone());
    let pieces = stream::iter(script.pieces).then(async |piece| {
        // Lets the piece before travel on its own.
        tokio::time::sleep(Duration::from_millis(2)).await;
        piece
    });
    let body = match script.open_end {
        true => Body::from_stream(pieces.chain(stream::pending()).inspect(move |_| {
            let _kept = &farewell;
        })),
        false => Body::from_stream(pieces),
    };
    Response::builder()
        .status(script.status)
        .header(header::CONTENT_TYPE, script.content_type)
        .body(body)
        .expect("a response")
}

fn settings(base_url: &str) -> LlmSettings {
    let Value::Object(extra_body) = json!({"seed": 7}) else {
        unreachable!("an object literal")
    };
    LlmSettings {
        base_url: base_url.parse().expect("a URL"),
        model: "default".to_owned(),
        api_key: Some("key-1".to_owned()),
        max_tokens: None,
        extra_body,
    }
}

fn request(messages: &[ChatMessage]) -> ChatRequest<'_> {
    ChatRequest {
        model: "m",
        messages,
        tools: &[],
        temperature: None,
    }
}

fn chunk(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"model": "m", "choices": [{"index": 0, "delta": {"content": text}}]})
    )
}

const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// Asks, and gives the text and figures or the error text.
async fn ask(client: &LlmClient) -> Result<(String, Figures), String> {
    let asked = async {
        let messages = [ChatMessage::new(Role::User, "Hi")];
        let mut stream = client.chat(&request(&messages)).await?;
        let mut text = String::new();
        while let Some(piece) = stream.next().await? {
            text.push_str(&piece);
        }
        Ok((text, stream.figures()))
    };
    timeout(SOON, asked)
        .await
        .expect("an end within 10 s")
        .map_err(|error: LlmError| error.to_string())
}

#[tokio::test]
async fn an_answer_is_read_with_its_figures() {
    let script = Script::stream([
        chunk("Hello"),
        chunk(" there"),
        STOP.to_owned(),
        USAGE.to_owned(),
        DONE.to_owned(),
    ]);
    let requests = script.requests.clone();
    let (text, figures) = ask(&script.serve().await).await.unwrap();
    assert_eq!(text, "Hello there");
    assert_eq!(
        figures.usage,
        Some(Usage {
            prompt_tokens: 7,
            completion_tokens: 2
        })
    );
    assert_eq!(
        (figures.model.as_deref(), figures.finish_reason.as_deref()),
        (Some("m"), Some("stop"))
    );
    assert!(figures.first_token <= figures.total, "{figures:?}");

    let requests = requests.lock().unwrap();
    let (headers, request) = &requests[0];
    assert_eq!(headers["authorization"], "Bearer key-1");
    assert_eq!(
        request["messages"],
        json!([{"role": "user", "content": "Hi"}])
    );
    assert_eq!(
        (&request["model"], &request["stream"], &request["seed"]),
        (&json!("m"), &json!(true), &json!(7))
    );
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_the_same() {
    let body = format!("{}{STOP}{USAGE}{DONE}", chunk("grüß 🦀"));
    let mut script = Script::stream(Vec::<String>::new());
    script.pieces = body
        .bytes()
        .map(|byte| Ok(Bytes::from(vec![byte])))
        .collect();
    let (text, figures) = ask(&script.serve().await).await.unwrap();
    assert_eq!((text.as_str(), figures.usage.is_some()), ("grüß 🦀", true));
}

#[tokio::test]
async fn an_answer_is_whole_with_a_reason_and_no_done_mark() {
    let (text, _) = ask(
        &Script::stream([chunk("Hello"), STOP.trim_end().to_owned()])
            .serve()
            .await,
    )
    .await
    .unwrap();
    assert_eq!(text, "Hello");
}

#[tokio::test]
async fn a_stream_that_ends_early_is_an_error_that_says_so() {
    let error = ask(&Script::stream([chunk("Hel"), "data: {\"cho".to_owned()])
        .serve()
        .await)
    .await
    .unwrap_err();
    assert!(
        error.contains("before the answer was complete, after 3 characters"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_that_says_so() {
    let mut script = Script::stream([chunk("Hel")]);
    script.pieces.push(Err("the server dies"));
    let error = ask(&script.serve().await).await.unwrap_err();
    assert!(
        error.contains("lost the connection after 3 characters"),
        "{error}"
    );
}

#[tokio::test]
async fn an_http_error_shows_url_status_and_body() {
    let mut script = Script::stream(["{\"error\":\n {\"message\": \"slow down\"}}"]);
    script.status = StatusCode::TOO_MANY_REQUESTS;
    script.content_type = "application/json";
    let error = ask(&script.serve().await).await.unwrap_err();
    assert!(error.starts_with("POST http://127.0.0.1:"), "{error}");
    assert!(error.ends_with("/v1/chat/completions was answered 429 Too Many Requests: {\"error\": {\"message\": \"slow down\"}}"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_refused() {
    let mut script = Script::stream(["{\"choices\": []}"]);
    script.content_type = "application/json";
    let error = ask(&script.serve().await).await.unwrap_err();
    assert!(
        error.contains("with application/json in place of an event stream"),
        "{error}"
    );
}

#[tokio::test]
async fn errors_and_nonsense_in_the_stream_end_it() {
    for (piece, expected) in [
        (
            "data: {\"error\":{\"message\":\"context exceeded\"}}\n\n",
            "reported an error in the stream: context exceeded",
        ),
        (
            "error: {\"code\":500}\n\n",
            "reported an error in the stream: {\"code\":500}",
        ),
        ("data: <html>\n\n", "is not a chat completion chunk"),
        (STOP, "answered with no text (finish reason: stop)"),
    ] {
        let error = ask(&Script::stream([piece, DONE]).serve().await)
            .await
            .unwrap_err();
        assert!(
            error.contains(expected),
            "{expected:?} is missing in {error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_setting_to_check() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!(
        "http://{}/v1",
        listener.local_addr().expect("a bound address")
    );
    drop(listener);
    let error = ask(&LlmClient::new(settings(&base_url)).unwrap())
        .await
        .unwrap_err();
    assert!(
        error.contains("refused") && error.contains("STIGMER_LLM_BASE_URL"),
        "{error}"
    );
}

#[tokio::test]
async fn credentials_in_the_url_are_not_shown() {
    let client = LlmClient::new(settings("http://user:secret@127.0.0.1:1/v1")).unwrap();
    let error = ask(&client).await.unwrap_err();
    assert!(
        !error.contains("secret") && error.contains("http://127.0.0.1:1/v1/chat/completions"),
        "{error}"
    );
}

#[tokio::test]
async fn dropping_the_answer_ends_the_request() {
    let (dropped, mut let_go) = mpsc::unbounded_channel();
    let mut script = Script::stream([chunk("Hel")]);
    (script.open_end, script.dropped) = (true, Some(dropped));
    let client = script.serve().await;
    let mut stream = client.chat(&request(&[])).await.unwrap();
    assert_eq!(stream.next().await.unwrap().as_deref(), Some("Hel"));
    drop(stream);
    timeout(SOON, let_go.recv())
        .await
        .expect("the server sees the end")
        .expect("told once");
}

/// What a client of a server with this list of models says.
async fn listed(answer: impl Into<String>) -> Result<(), ModelsError> {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let models = get(move || {
        let answer = answer.clone();
        async move { answer }
    });
    let router = Router::new().route("/v1/models", models);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = LlmClient::new(settings(&base_url)).expect("a client");
    client.lists_default_model().await
}

#[tokio::test]
async fn a_model_that_is_listed_can_be_used_and_others_are_named() {
    let model = settings("http://127.0.0.1:1/v1").model;
    let both = format!(r#"{{"data": [{{"id": "other"}}, {{"id": "{model}"}}]}}"#);
    listed(both).await.expect("it is listed");
    let absent = listed(r#"{"data": [{"id": "other"}, {"id": "third"}]}"#);
    let absent = absent.await.expect_err("it is not listed").to_string();
    assert!(absent.contains("only: other, third"), "{absent}");
    let page = listed("<html>").await.expect_err("no list");
    assert!(matches!(page, ModelsError::NoList { .. }), "{page}");
}
