//! Bare counterparts: the least that could be done instead.

use std::time::{Duration, Instant};

use stigmer_e2e::harness::{Broken, CliError, Test};
use stigmer_e2e::services::free_port;
use stigmer_temporal::{Target, connect_until, until_healthy};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// What [`program`] does, for tables.
pub const PROGRAM: &str = "`stigmer --version`: a program of the stack that starts and ends";
/// What [`temporal`] does, for tables.
pub const TEMPORAL: &str = "a bare Temporal dev server, until it serves";

/// How long a bare Temporal may take to start.
const START: Duration = Duration::from_secs(30);

/// How long a program of the stack takes that only starts and ends.
pub async fn program(t: &Test) -> Result<Duration, CliError> {
    Ok(t.cli().args(["--version"]).run().await?.duration)
}

/// How long Temporal takes to start from nothing, with its store in a file as the daemon has it.
pub async fn temporal(t: &Test, round: usize) -> Result<Duration, Broken> {
    let broken = |error: String| Broken(format!("a bare Temporal: {error}"));
    let port = free_port().map_err(|error| broken(error.to_string()))?;
    let file = t.folder().join(format!("bare-{round}.db"));
    let server = t.command(&t.session().temporal.cli).args([
        "server".to_owned(),
        "start-dev".to_owned(),
        "--headless".to_owned(),
        "--disable-config-file".to_owned(),
        format!("--port={port}"),
        format!("--db-filename={file}"),
        "--sqlite-pragma=journal_mode=wal".to_owned(),
    ]);
    let start = Instant::now();
    let running = server
        .env("TEMPORAL_VERSION_CHECK_DISABLED", "1")
        .spawn()
        .map_err(|error| broken(error.to_string()))?;
    let target = Target::plain(format!("127.0.0.1:{port}"), "default");
    let client = connect_until(&target, "stigmer-e2e", START).await;
    let client = client.map_err(|error| broken(error.to_string()))?;
    let healthy = until_healthy(&client, START, START).await;
    healthy.map_err(|error| broken(error.to_string()))?;
    let took = start.elapsed();
    drop(running);
    Ok(took)
}

/// A bare tonic service with as many threads as the server has: the test's own runtime has one.
pub struct Echo {
    /// Where it listens.
    pub address: String,
    runtime: Runtime,
}

impl Echo {
    /// Starts it.
    pub fn start() -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?.to_string();
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let (_reporter, health) = tonic_health::server::health_reporter();
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener)?);
            let server = tonic::transport::Server::builder().add_service(health);
            server
                .serve_with_incoming(incoming)
                .await
                .map_err(std::io::Error::other)
        });
        Ok(Self { address, runtime })
    }

    /// Asks the one behind `channel`.
    pub async fn ask(channel: Channel) -> Result<(), tonic::Status> {
        HealthClient::new(channel)
            .check(HealthCheckRequest::default())
            .await
            .map(drop)
    }

    /// Stops it.
    pub fn stop(self) {
        self.runtime.shutdown_background();
    }
}
