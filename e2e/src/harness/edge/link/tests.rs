//! The link with a backend that echoes, and with one that speaks gRPC.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

/// Echoes every connection, prefixed by `name`.
async fn echo(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                to.write_all(name.as_bytes()).await?;
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let mut buffer = [0; 64];
    let read = timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
    let count = read.expect("an answer or an end within 5 s")?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

/// Waits until `link` holds so much.
async fn holding(link: &Link, count: usize) {
    let held = async {
        while link.held() < count {
            tokio::task::yield_now().await;
        }
    };
    let held = timeout(Duration::from_secs(5), held).await;
    held.unwrap_or_else(|_| panic!("{} of {count} are held after 5 s", link.held()));
}

#[tokio::test]
async fn a_cut_link_refuses_and_a_restored_one_leads_to_its_backend() {
    let (one, two) = (echo("one").await, echo("two").await);
    let link = Link::to(&one).unwrap();
    let refused = TcpStream::connect(link.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    link.restore().unwrap();
    let mut client = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(read(&mut client).await.unwrap(), "one");
    assert_eq!(link.connections(), 1);
    link.cut();
    assert!(
        read(&mut client).await.unwrap_or_default().is_empty(),
        "the connection is still open"
    );
    assert_eq!(link.connections(), 0);
    let refused = TcpStream::connect(link.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    link.retarget(&two);
    link.restore().unwrap();
    let mut client = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(read(&mut client).await.unwrap(), "two");
}

#[tokio::test]
async fn a_frozen_link_accepts_and_holds_until_it_is_thawed() {
    let link = Link::to(&echo("one").await).unwrap();
    link.restore().unwrap();
    let mut old = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(read(&mut old).await.unwrap(), "one");
    link.freeze();
    let mut new = TcpStream::connect(link.address()).await.unwrap();
    old.write_all(b"held").await.unwrap();
    holding(&link, 2).await;
    for stream in [&old, &new] {
        let answer = stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(answer, Err(io::ErrorKind::WouldBlock), "something passed");
    }
    link.thaw();
    assert_eq!(read(&mut old).await.unwrap(), "held");
    assert_eq!(read(&mut new).await.unwrap(), "one");
}

mod calls {
    use tonic::Code;
    use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };

    use super::*;
    use crate::harness::edge::Gate;

    const CHECK: &str = "grpc.health.v1.Health/Check";
    const WATCH: &str = "grpc.health.v1.Health/Watch";

    /// A gRPC server whose health is SERVING, and a link to it that knows calls.
    async fn healthy() -> (Link, HealthClient<Channel>) {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter
            .set_service_status("", tonic_health::ServingStatus::Serving)
            .await;
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        tokio::spawn(
            Server::builder()
                .add_service(health)
                .serve_with_incoming(incoming),
        );
        let link = Link::of_calls_to(&address.to_string()).unwrap();
        link.restore().unwrap();
        let channel = Endpoint::try_from(format!("http://{}", link.address())).unwrap();
        (link, HealthClient::new(channel.connect_lazy()))
    }

    async fn check(client: &mut HealthClient<Channel>) -> Result<ServingStatus, Code> {
        let answer = timeout(
            Duration::from_secs(5),
            client.check(HealthCheckRequest::default()),
        );
        let answer = answer.await.expect("an answer within 5 s");
        answer
            .map(|it| it.into_inner().status())
            .map_err(|status| status.code())
    }

    #[tokio::test]
    async fn calls_pass_and_are_counted_and_the_chosen_ones_are_refused() {
        let (link, mut client) = healthy().await;
        assert_eq!(check(&mut client).await, Ok(ServingStatus::Serving));
        link.calls()
            .fault(Fault::of(CHECK, 1..=2).refused(Code::Unavailable));
        for _ in 0..2 {
            assert_eq!(check(&mut client).await, Err(Code::Unavailable));
        }
        assert_eq!(check(&mut client).await, Ok(ServingStatus::Serving));
        assert_eq!(link.calls().count(CHECK), 4);
        assert_eq!(link.connections(), 1, "a refused call ended the connection");
        assert!(link.calls().unused().is_empty());
    }

    #[tokio::test]
    async fn a_backend_error_and_a_lost_answer_reach_the_caller_with_their_codes() {
        let (link, mut client) = healthy().await;
        let unknown = HealthCheckRequest {
            service: "no.such.Service".to_owned(),
        };
        let status = client.check(unknown).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        link.calls()
            .fault(Fault::of(CHECK, 1..=1).lost(Code::Unavailable));
        assert_eq!(check(&mut client).await, Err(Code::Unavailable));
        assert_eq!(check(&mut client).await, Ok(ServingStatus::Serving));
    }

    #[tokio::test]
    async fn a_held_call_waits_for_its_gate_while_others_pass() {
        let (link, client) = healthy().await;
        let gate = Gate::closed();
        link.calls().fault(Fault::of(CHECK, 1..=1).held(&gate));
        let mut first = client.clone();
        let held = tokio::spawn(async move { check(&mut first).await });
        let came = timeout(Duration::from_secs(5), async {
            while link.calls().count(CHECK) == 0 {
                tokio::task::yield_now().await;
            }
        });
        came.await.expect("the call arrives");
        assert_eq!(check(&mut client.clone()).await, Ok(ServingStatus::Serving));
        assert!(!held.is_finished(), "the gate let the call through");
        gate.open();
        assert_eq!(held.await.unwrap(), Ok(ServingStatus::Serving));
    }

    #[tokio::test]
    async fn a_stream_passes_message_by_message_and_ends_with_a_cut() {
        let (link, mut client) = healthy().await;
        let mut watching = client
            .watch(HealthCheckRequest::default())
            .await
            .unwrap()
            .into_inner();
        let first = timeout(Duration::from_secs(5), watching.message())
            .await
            .unwrap();
        assert_eq!(first.unwrap().unwrap().status(), ServingStatus::Serving);
        assert_eq!(link.calls().count(WATCH), 1);
        link.cut();
        let end = timeout(Duration::from_secs(5), watching.message())
            .await
            .unwrap();
        assert!(!matches!(end, Ok(Some(_))), "{end:?}");
        assert_eq!(check(&mut client).await, Err(Code::Unavailable));
        link.restore().unwrap();
        assert_eq!(check(&mut client).await, Ok(ServingStatus::Serving));
    }

    #[tokio::test]
    async fn a_frozen_link_answers_no_call_until_it_is_thawed() {
        let (link, mut client) = healthy().await;
        assert_eq!(check(&mut client).await, Ok(ServingStatus::Serving));
        link.freeze();
        let mut second = client.clone();
        let call = tokio::spawn(async move { check(&mut second).await });
        holding(&link, 1).await;
        assert!(!call.is_finished(), "something passed");
        assert_eq!(
            link.calls().count(CHECK),
            1,
            "the call passed the frozen link"
        );
        link.thaw();
        assert_eq!(call.await.unwrap(), Ok(ServingStatus::Serving));
    }
}
