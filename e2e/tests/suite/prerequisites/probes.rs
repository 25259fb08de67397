//! Probes speak the protocol: a port that is open proves nothing.

use serde_json::{Value, json};
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;

use crate::own;

/// A listener that hangs up on everybody.
async fn plain_listener() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    Ok(address)
}

/// A gRPC server that says that all is well with it, and nothing else.
async fn health_only() -> std::io::Result<String> {
    let (reporter, service) = tonic_health::server::health_reporter();
    let temporal = reporter.set_service_status("temporal", tonic_health::ServingStatus::Serving);
    temporal.await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let incoming = TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    Ok(address)
}

/// The session of this run with other services, as the driver's `probe` reads it.
pub(super) async fn probed(
    t: &Test,
    change: impl FnOnce(&mut Value),
) -> Result<(Option<i32>, Vec<String>), Failure> {
    let mut session = serde_json::to_value(t.session())?;
    session["llm"] = Value::Null;
    session["playground"] = Value::Null;
    change(&mut session);
    let file = t.folder().join("probed.json");
    stigmer_e2e_plan::write_json(&file, &session).map_err(|error| Broken(format!("{error:#}")))?;
    let output = t
        .command(&own::driver())
        .args([
            "probe",
            "--root",
            t.session().root.as_str(),
            "--session",
            file.as_str(),
        ])
        .run()
        .await?;
    Ok((
        output.code,
        output.lines.into_iter().map(|line| line.text).collect(),
    ))
}

#[test]
fn pre_02_a_plain_listener_in_place_of_a_service_is_reported_as_something_else() {
    story(async |t| {
        let address = plain_listener().await?;
        let model =
            json!({"base_url": format!("http://{address}/v1"), "model": "m", "sha256": null});
        type Change = Box<dyn FnOnce(&mut Value)>;
        let temporal: Change = {
            let address = address.clone();
            Box::new(move |session| session["temporal"]["address"] = json!(address))
        };
        let server: Change = {
            let address = address.clone();
            Box::new(move |session| session["playground"] = json!({"server": address}))
        };
        let llm: Change = Box::new(move |session| session["llm"] = model);
        for (name, change) in [("temporal", temporal), ("server", server), ("llm", llm)] {
            t.step(format!("a plain listener in place of {name}"));
            let (code, lines) = probed(&t, change).await?;
            assert_ne!(code, Some(0), "{lines:?}");
            let words = format!(
                "something else on that port, process {} (",
                std::process::id()
            );
            let said = lines
                .iter()
                .any(|line| line.contains(&address) && line.contains(&words));
            assert!(said, "{name} is not said to be something else: {lines:?}");
        }
        let env = t.environment().start().await?;
        let (stigmer, pid) = (env.server().address(), env.server().pid());
        let temporal = t.session().temporal.address.clone();
        let health = health_only().await?;
        let own = std::process::id();
        for (name, at, holder, field) in [
            (
                "the server in place of Temporal",
                &stigmer,
                Some(pid),
                "temporal",
            ),
            (
                "Temporal in place of the server",
                &temporal,
                None,
                "playground",
            ),
            (
                "a server that only tells its health",
                &health,
                Some(own),
                "playground",
            ),
            (
                "the server in place of the model",
                &stigmer,
                Some(pid),
                "llm",
            ),
        ] {
            t.step(name);
            let (code, lines) = probed(&t, |session| match field {
                "temporal" => session["temporal"]["address"] = json!(at),
                "playground" => session["playground"] = json!({"server": at}),
                _ => {
                    let base_url = format!("http://{at}/v1");
                    session["llm"] = json!({"base_url": base_url, "model": "m", "sha256": null});
                }
            })
            .await?;
            assert_ne!(code, Some(0), "{name}: {lines:?}");
            let words = match holder {
                Some(pid) => format!("something else on that port, process {pid} ("),
                None => "something else on that port, process ".to_owned(),
            };
            let about = |line: &&String| line.contains(at.as_str()) && line.contains(&words);
            assert_eq!(lines.iter().filter(about).count(), 1, "{name}: {lines:?}");
        }
        t.step("the control: the real services are themselves");
        let (code, lines) = probed(&t, |session| {
            session["playground"] = json!({"server": env.server().address()});
            session["llm"] =
                json!({"base_url": env.llm().base_url(), "model": env.llm().model(), "sha256": null});
        })
        .await?;
        assert_eq!(code, Some(0), "{lines:?}");
        let work = lines
            .iter()
            .filter(|line| line.ends_with(" works"))
            .filter_map(|line| line.split_whitespace().next())
            .collect::<Vec<_>>();
        assert_eq!(work, ["temporal", "llm", "stigmer-server"], "{lines:?}");
        Ok(())
    });
}
