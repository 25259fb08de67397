//! The server from start to stop.

use std::{future::Future, sync::LazyLock, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    artifacts::Artifacts,
    executions::keep_sweeping,
    grpc,
    settings::Settings,
    state::{Brokers, Connection, State},
    store::{Store, Vault},
    temporal::Supervisor,
};

/// How long readiness waits for Temporal; without it the server starts degraded.
const TEMPORAL_AT_START: Duration = Duration::from_secs(2);

/// How long calls and workers in flight may take once the server stops.
const STOP: Duration = Duration::from_millis(400);

/// The health service that says whether Temporal is connected.
const TEMPORAL_HEALTH: &str = "temporal";

/// Runs a server until `stop` resolves. Announces readiness once the API answers and Temporal is
/// connected, or turned out not to be there.
pub async fn run(settings: Settings, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    settings.log();
    tokio::task::spawn_blocking(warm_up);
    let listener = bind(&settings).await?;
    let address = listener
        .local_addr()
        .context("failed to read back the address of the API")?;
    let brokers = Brokers::default();
    let encryption = &settings.temporal.encryption;
    let vault = Vault::new(encryption.keys().cloned(), encryption.encrypts());
    let store = Store::open(&settings.db_path, vault, brokers.observers())?;
    let artifacts = Artifacts::open(&settings.storage_path)?;

    let stopping = CancellationToken::new();
    let (connected, connection) = watch::channel(None);
    let state = State::new(
        store.clone(),
        artifacts,
        brokers,
        connection.clone(),
        stopping.clone(),
    );
    let mut background = JoinSet::new();
    let health = HealthReporter::new();
    let queues = settings.queues.polled();
    background.spawn(follow(connection.clone(), health.clone(), stopping.clone()));
    background.spawn(keep_sweeping(state.clone()));
    background.spawn(
        Supervisor {
            target: settings.temporal,
            queues: settings.queues,
            store: store.clone(),
            connection: connected,
            stopping: stopping.clone(),
        }
        .run(),
    );

    let serving = grpc::serve(state, health, listener, stopping.clone())?;
    let mut serving = tokio::spawn(serving);

    let up = async {
        wait_for_temporal(connection).await;
        let version = env!("CARGO_PKG_VERSION");
        stigmer_process::announce(
            "stigmer-server",
            version,
            Some(address.to_string()),
            &queues,
        )?;
        (&mut serving)
            .await
            .context("the API panicked")?
            .context("the API ended")?;
        anyhow::bail!("the API ended although nobody asked it to")
    };
    let ended = tokio::select! {
        () = stop => Ok(()),
        ended = up => ended,
    };

    stopping.cancel();
    let deadline = Instant::now() + STOP;
    if ended.is_ok() && timeout_at(deadline, serving).await.is_err() {
        tracing::warn!("calls in flight were cut off");
    }
    let all_ended = async { while background.join_next().await.is_some() {} };
    if timeout_at(deadline, all_ended).await.is_err() {
        tracing::warn!("work in the background was cut off");
    }
    store.checkpoint().await?;
    tracing::info!("stopped");
    ended
}

async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let (host, port) = (settings.grpc_host.as_str(), settings.grpc_port);
    TcpListener::bind((host, port)).await.with_context(|| {
        format!("failed to listen on {host}:{port}; free the port or choose another with GRPC_HOST and GRPC_PORT")
    })
}

/// Does early and beside the rest what the first announcement and the first request would wait for.
fn warm_up() {
    LazyLock::force(&stigmer_api::DESCRIPTORS);
    stigmer_process::build_id();
}

/// Reports the connection to Temporal as a health service.
async fn follow(mut connection: Connection, health: HealthReporter, stopping: CancellationToken) {
    loop {
        let status = match *connection.borrow_and_update() {
            Some(_) => ServingStatus::Serving,
            None => ServingStatus::NotServing,
        };
        health.set_service_status(TEMPORAL_HEALTH, status).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            changed = connection.changed() => if changed.is_err() { return },
        }
    }
}

async fn wait_for_temporal(mut connection: Connection) {
    let connected = connection.wait_for(Option::is_some);
    if timeout(TEMPORAL_AT_START, connected).await.is_err() {
        tracing::warn!("starting without Temporal: executions are refused until it is connected");
    }
}
