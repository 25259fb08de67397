use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap as Headers, Method as Verb, StatusCode, Uri},
    response::{IntoResponse, Response as Reply},
};
use tokio::net::TcpListener;

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

type Seen = Arc<Mutex<Vec<(String, String, Headers, Vec<u8>)>>>;

/// A service that answers by path and remembers what it was sent.
async fn service() -> (String, Seen) {
    let seen = Seen::default();
    let app = Router::new().fallback(answer).with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!(
        "http://{}",
        listener
            .local_addr()
            .expect("a bound listener has an address")
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, seen)
}

async fn answer(
    State(seen): State<Seen>,
    verb: Verb,
    uri: Uri,
    headers: Headers,
    body: Bytes,
) -> Reply {
    seen.lock()
        .unwrap()
        .push((verb.to_string(), uri.to_string(), headers, body.to_vec()));
    let json = |text: &'static str| {
        ([("content-type", "application/json; charset=utf-8")], text).into_response()
    };
    match uri.path() {
        "/list" => json("[1, 2]"),
        "/number" => json("5"),
        "/broken" => json("{\"a\": "),
        "/undeclared" => "{\"a\": 1}".into_response(),
        "/text" => "12345".into_response(),
        "/empty" => StatusCode::NO_CONTENT.into_response(),
        "/binary" => vec![0xff_u8, 0xfe].into_response(),
        "/large" => vec![b'a'; 10 * 1024 * 1024].into_response(),
        "/missing" => (StatusCode::NOT_FOUND, "nothing here").into_response(),
        "/fails" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "/moved" => (StatusCode::FOUND, [("location", "/list")]).into_response(),
        "/silent" => std::future::pending().await,
        _ => json("{\"ok\": true}"),
    }
}

fn call(uri: &str) -> HttpCall {
    serde_json::from_value(json!({"method": "GET", "endpoint": uri})).expect("a call in JSON")
}

async fn send(call: &HttpCall) -> Result<Json, CallError> {
    HttpCaller::new()
        .expect("a client")
        .call(call, &call.endpoint.uri, LIMIT)
        .await
}

#[tokio::test]
async fn a_request_is_sent_as_its_author_wrote_it() {
    let (address, seen) = service().await;
    let call = serde_json::from_value(json!({
        "method": "POST", "endpoint": format!("{address}/things?x=1"), "headers": {"Accept": "a/b", "X-N": 5}, "query": {"q": "a b"}, "body": {"n": [1]}
    }));
    assert_eq!(
        send(&call.expect("a call in JSON")).await.unwrap(),
        json!({"ok": true})
    );
    let seen = seen.lock().unwrap();
    let [(verb, uri, headers, body)] = seen.as_slice() else {
        panic!("one request, not {seen:?}")
    };
    assert_eq!(
        (verb.as_str(), uri.as_str(), body.as_slice()),
        ("POST", "/things?x=1&q=a+b", &br#"{"n":[1]}"#[..])
    );
    assert_eq!(
        (
            &headers["accept"],
            &headers["x-n"],
            &headers["content-type"]
        ),
        (
            &"a/b".parse().unwrap(),
            &"5".parse().unwrap(),
            &"application/json".parse().unwrap()
        )
    );
}

#[tokio::test]
async fn a_text_is_sent_as_it_stands_and_the_authors_content_type_is_kept() {
    let (address, seen) = service().await;
    let text =
        serde_json::from_value(json!({"method": "PUT", "endpoint": address, "body": "plain"}))
            .unwrap();
    let typed = serde_json::from_value(json!({"method": "PUT", "endpoint": address, "headers": {"content-type": "x/y"}, "body": {}})).unwrap();
    send(&text).await.unwrap();
    send(&typed).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        (seen[0].3.as_slice(), seen[0].2.get("content-type")),
        (&b"plain"[..], None)
    );
    assert_eq!(seen[1].2["content-type"], "x/y");
}

#[tokio::test]
async fn an_answer_is_the_json_it_is_or_says_to_be_else_text() {
    let (address, _) = service().await;
    for (path, expected) in [
        ("/list", json!([1, 2])),
        ("/number", json!(5)),
        ("/undeclared", json!({"a": 1})),
        ("/text", json!("12345")),
        ("/empty", Json::Null),
    ] {
        assert_eq!(
            send(&call(&format!("{address}{path}"))).await.unwrap(),
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_outputs_are_raw_bytes_and_the_whole_response() {
    let (address, _) = service().await;
    let mut raw = call(&format!("{address}/binary"));
    raw.output = HttpOutput::Raw;
    assert_eq!(send(&raw).await.unwrap(), json!("//4="));
    let mut whole = call(&format!("{address}/list"));
    whole.output = HttpOutput::Response;
    let response = send(&whole).await.unwrap();
    assert_eq!(
        (
            &response["statusCode"],
            &response["content"],
            &response["request"]["method"]
        ),
        (&json!(200), &json!([1, 2]), &json!("GET"))
    );
    assert_eq!(
        response["headers"]["content-type"],
        "application/json; charset=utf-8"
    );
}

/// FIX-07b: the cause is named, and only what may pass is tried again.
#[tokio::test]
async fn a_refusal_says_which_and_whether_another_attempt_may_help() {
    let (address, _) = service().await;
    for (path, text, status, retryable) in [
        (
            "/missing",
            "CallHTTP returned 4xx status code: 404 Not Found",
            404,
            false,
        ),
        (
            "/fails",
            "CallHTTP returned 5xx error: 503 Service Unavailable",
            503,
            true,
        ),
        (
            "/moved",
            "CallHTTP returned 3xx status code: 302 Found",
            302,
            false,
        ),
    ] {
        let uri = format!("{address}{path}");
        let error = send(&call(&uri)).await.unwrap_err();
        assert_eq!(
            error,
            CallError {
                kind: KIND,
                message: format!("{text} (GET {uri})"),
                status: Some(status),
                retryable
            }
        );
    }
    let mut following = call(&format!("{address}/moved"));
    following.redirect = true;
    assert_eq!(send(&following).await.unwrap(), json!([1, 2]));
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_an_error_not_a_guess() {
    let (address, _) = service().await;
    for (path, text) in [
        ("/broken", "the answer says it is JSON and is not"),
        ("/binary", "neither JSON nor UTF-8 text"),
        ("/large", "the answer is larger than 1945600 bytes"),
    ] {
        let error = send(&call(&format!("{address}{path}"))).await.unwrap_err();
        assert!(
            error.message.contains(text) && !error.retryable,
            "{path}: {error:?}"
        );
    }
}

#[tokio::test]
async fn silence_ends_with_the_limit_and_is_not_tried_again() {
    let (address, _) = service().await;
    let begin = std::time::Instant::now();
    let call = call(&format!("{address}/silent"));
    let error = HttpCaller::new()
        .unwrap()
        .call(&call, "shown", Duration::from_millis(200))
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "CallHTTP timed out: no answer within 0.2 s (GET shown)"
    );
    assert!(!error.retryable && begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nobody_listening_may_pass_and_the_error_shows_no_uri_but_the_given_one() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let call = call(&format!("http://127.0.0.1:{port}/?key=hidden"));
    let error = HttpCaller::new()
        .unwrap()
        .call(&call, "http://x/?key=***", LIMIT)
        .await
        .unwrap_err();
    assert!(
        error.retryable
            && error.message.starts_with("CallHTTP failed: ")
            && error.message.contains("refused"),
        "{error:?}"
    );
    assert!(!error.message.contains("hidden"), "{error:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_anything_is() {
    for (change, text) in [
        (json!({"endpoint": "https://x"}), "https needs TLS"),
        (json!({"endpoint": "ftp://x"}), "the scheme ftp is not http"),
        (
            json!({"endpoint": "not a uri"}),
            "the endpoint is not a URI",
        ),
        (
            json!({"method": "G E T"}),
            "\"G E T\" is not an HTTP method",
        ),
        (
            json!({"headers": {"X": "a\nsecret"}}),
            "header X holds characters that headers cannot hold",
        ),
        (json!({"headers": {"X": [1]}}), "header X must be a text"),
        (
            json!({"headers": {"X Y": "1"}}),
            "\"X Y\" is not the name of a header",
        ),
        (
            json!({"query": {"q": {}}}),
            "query parameter q must be a text",
        ),
    ] {
        let mut json = json!({"method": "GET", "endpoint": "http://127.0.0.1:1"});
        json.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let error = send(&serde_json::from_value(json).unwrap())
            .await
            .unwrap_err();
        assert!(
            error.message.contains(text) && !error.retryable && !error.message.contains("secret"),
            "{error:?}"
        );
    }
}
