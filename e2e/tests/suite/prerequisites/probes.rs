//! Probes speak the protocol: a port that is open proves nothing.

use serde_json::{Value, json};
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use tokio::net::TcpListener;

use camino::Utf8Path;

/// A listener that hangs up on everybody.
async fn plain_listener() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
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
    let driver = Utf8Path::new(env!("CARGO_BIN_EXE_stigmer-e2e"));
    let output = t
        .command(driver)
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
        t.step("the control: the real services are themselves");
        let env = t.environment().start().await?;
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
