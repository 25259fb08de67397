use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

/// A server with the health service, and reflection unless told otherwise; its port.
async fn server(reflection: bool) -> u16 {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("ready", ServingStatus::Serving)
        .await;
    let reflected = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("the descriptors of the health service are whole");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener
        .local_addr()
        .expect("a bound listener has an address")
        .port();
    let router = Server::builder()
        .add_service(health)
        .add_optional_service(reflection.then_some(reflected));
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    port
}

fn health(port: u16, method: &str, arguments: Json) -> GrpcCall {
    serde_json::from_value(json!({
        "service": {"name": "grpc.health.v1.Health", "host": "127.0.0.1", "port": port}, "method": method, "arguments": arguments
    }))
    .expect("a call in JSON")
}

async fn error(wanted: GrpcCall) -> String {
    let error = call(&wanted, LIMIT).await.expect_err("it cannot be called");
    assert_eq!((error.kind, error.retryable), (KIND, false));
    error.message
}

#[tokio::test]
async fn a_method_is_called_by_its_description() {
    let port = server(true).await;
    assert_eq!(
        call(&health(port, "Check", json!({"service": "ready"})), LIMIT)
            .await
            .unwrap(),
        json!({"status": "SERVING"})
    );
}

#[tokio::test]
async fn what_cannot_be_called_says_why() {
    let port = server(true).await;
    for (wanted, text) in [
        (
            health(port, "Check", json!({"service": "unknown"})),
            "NotFound",
        ),
        (
            health(port, "Check", json!({"nope": 1})),
            "the arguments are not a grpc.health.v1.HealthCheckRequest",
        ),
        (
            health(port, "Chekc", json!({})),
            "has no method Chekc, only ",
        ),
        (
            health(port, "Watch", json!({})),
            "streams; only unary methods can be called",
        ),
        (health(0, "Check", json!({})), "0 is not a port"),
    ] {
        let error = error(wanted).await;
        assert!(
            error.starts_with("CallGRPC failed: ") && error.contains(text),
            "{error}"
        );
    }
    let mut other = health(port, "Check", json!({}));
    other.service.name = "a.b.C".to_owned();
    assert!(
        error(other)
            .await
            .contains("the server has no service a.b.C")
    );
}

#[tokio::test]
async fn a_server_without_reflection_or_none_at_all_is_said_to_be_so() {
    let without = server(false).await;
    assert!(
        error(health(without, "Check", json!({})))
            .await
            .contains("the server offers no reflection")
    );
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    assert!(
        error(health(nobody, "Check", json!({})))
            .await
            .contains("refused")
    );
}

#[tokio::test]
async fn silence_ends_with_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wanted = health(listener.local_addr().unwrap().port(), "Check", json!({}));
    let error = call(&wanted, Duration::from_millis(200)).await.unwrap_err();
    assert!(
        error
            .message
            .starts_with("CallGRPC timed out: no answer within 0.2 s"),
        "{error:?}"
    );
}
