//! `probe`: speaks to each service of a session in its own protocol, and says who is there instead
//! when it is somebody else.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use stigmer_e2e::{
    services::{
        ModelApi, ModelError, ServerError, server_answers, server_queries, temporal_answers,
    },
    session::Session,
    supervise::PortHolder,
};
use stigmer_e2e_plan::{ExitCode, Output, Style};
use stigmer_temporal::{ConnectError, Target};
use tokio::{net::TcpStream, time::timeout};

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a connection on this machine may take.
const CONNECT: Duration = Duration::from_secs(2);

/// What was found at the address of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "found")]
enum Found {
    /// The service, at work.
    Service,
    /// The service, but it cannot do its work.
    Unfit {
        /// What it says.
        cause: String,
    },
    /// A listener that speaks another language.
    SomethingElse {
        /// What it said.
        cause: String,
        /// Who it is; nothing when it is on another machine.
        holder: Option<PortHolder>,
    },
    /// No listener.
    Nothing {
        /// What was met.
        cause: String,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    event: &'static str,
    service: &'static str,
    address: String,
    #[serde(flatten)]
    found: Found,
}

/// Probes every service of `session`; [`ExitCode::ServiceFailed`] unless all of them work.
pub async fn probe(session: &Session, output: Output) -> Result<ExitCode> {
    let (temporal, model, server) =
        tokio::join!(temporal(session), model(session), server(session));
    let rows: Vec<Row> = [Some(temporal), model?, server]
        .into_iter()
        .flatten()
        .collect();
    for row in &rows {
        output.object(row);
        output.line(&line(output, row));
    }
    let all_work = rows.iter().all(|row| row.found == Found::Service);
    Ok(if all_work {
        ExitCode::Success
    } else {
        ExitCode::ServiceFailed
    })
}

async fn temporal(session: &Session) -> Row {
    let address = session.temporal.address.clone();
    let target = Target::plain(address.clone(), "default");
    let found = match timeout(ANSWER, temporal_answers(&target)).await {
        Ok(Ok(())) => Found::Service,
        // Whoever answers the connection's first call is a Temporal.
        Ok(Err(error)) if error.downcast_ref::<ConnectError>().is_none() => Found::Unfit {
            cause: format!("{error:#}"),
        },
        Ok(Err(error)) => who_is_there(&address, format!("{error:#}")).await,
        Err(_) => who_is_there(&address, no_answer()).await,
    };
    Row::new("temporal", address, found)
}

async fn model(session: &Session) -> Result<Option<Row>> {
    let Some(llm) = &session.llm else {
        return Ok(None);
    };
    let found = match ModelApi::new(&llm.base_url, &llm.model, ANSWER)?
        .lists_model()
        .await
    {
        Ok(()) => Found::Service,
        Err(error @ ModelError::NoModel { .. }) => Found::Unfit {
            cause: error.to_string(),
        },
        Err(error) => who_is_there(&host_and_port(&llm.base_url), error.to_string()).await,
    };
    Ok(Some(Row::new("llm", llm.base_url.clone(), found)))
}

async fn server(session: &Session) -> Option<Row> {
    let address = session.playground.as_ref()?.server.clone();
    let answered = async {
        server_answers(&address, true).await?;
        server_queries(&address).await
    };
    let found = match answered.await {
        Ok(()) => Found::Service,
        Err(error @ ServerError::NotServing { .. }) => Found::Unfit {
            cause: error.to_string(),
        },
        Err(error) => who_is_there(&address, error.to_string()).await,
    };
    Some(Row::new("stigmer-server", address, found))
}

/// Tells a listener of another kind from no listener.
async fn who_is_there(address: &str, cause: String) -> Found {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(connection)) => {
            let peer = connection.peer_addr().ok();
            let here = peer.filter(|peer| peer.ip().is_loopback());
            let holder = here.map(|peer| PortHolder::of(peer.port()));
            Found::SomethingElse { cause, holder }
        }
        Ok(Err(error)) => Found::Nothing {
            cause: error.to_string(),
        },
        Err(_) => Found::Nothing {
            cause: format!("no connection within {CONNECT:?}"),
        },
    }
}

fn no_answer() -> String {
    format!("no answer within {ANSWER:?}")
}

/// `host:port` of a URL; a text that is none stays as it is and will not connect.
fn host_and_port(url: &str) -> String {
    let parts = reqwest::Url::parse(url).ok().and_then(|url| {
        Some(format!(
            "{}:{}",
            url.host_str()?,
            url.port_or_known_default()?
        ))
    });
    parts.unwrap_or_else(|| url.to_owned())
}

impl Row {
    fn new(service: &'static str, address: String, found: Found) -> Self {
        Self {
            event: "probe",
            service,
            address,
            found,
        }
    }
}

fn line(output: Output, row: &Row) -> String {
    let Row {
        service,
        address,
        found,
        ..
    } = row;
    let bad = |text: String| output.paint(Style::Red, &text);
    let found = match found {
        Found::Service => output.paint(Style::Green, "works"),
        Found::Unfit { cause } => bad(format!("does not work: {cause}")),
        Found::SomethingElse { cause, holder } => {
            let holder = holder.as_ref().map(|it| format!(", {it}"));
            let holder = holder.unwrap_or_default();
            bad(format!("something else on that port{holder}: {cause}"))
        }
        Found::Nothing { cause } => bad(format!("nothing on that port: {cause}")),
    };
    format!("  {service:<22} {address:<32} {found}")
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_listener_of_another_kind_is_told_from_no_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let found = who_is_there(&address, "HTTP".into()).await;
        let Found::SomethingElse { holder, .. } = found else {
            panic!("{found:?}")
        };
        let own = format!("process {} (", std::process::id());
        let holder = holder.map(|holder| holder.to_string());
        assert!(holder.is_some_and(|told| told.starts_with(&own)));
        drop(listener);
        assert!(matches!(
            who_is_there(&address, "HTTP".into()).await,
            Found::Nothing { .. }
        ));
    }

    #[test]
    fn host_and_port_of_a_url_are_found() {
        assert_eq!(host_and_port("http://127.0.0.1:8080/v1"), "127.0.0.1:8080");
        assert_eq!(host_and_port("https://example.com/v1"), "example.com:443");
        assert_eq!(host_and_port("http://[::1]:9/v1"), "[::1]:9");
    }
}
