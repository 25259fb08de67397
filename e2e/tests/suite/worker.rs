//! A Temporal worker that is none of the stack's, on the namespace of an environment. It has the key to
//! read what it is sent.

use std::time::Duration;

use stigmer_e2e::harness::{Broken, Environment, budget::START};
use stigmer_temporal::{
    Client, Encryption, Keys, Target, WorkerSpec, WorkersHandle, connect, spawn_workers,
};
use tokio::runtime::{Builder, Runtime};

/// A running worker.
pub struct Worker {
    handle: WorkersHandle,
    runtime: Several,
}

/// Activities need a runtime of several threads, which a test's is not. A runtime must not be waited for
/// inside another one, also when the test fails in between.
struct Several(Option<Runtime>);

impl Drop for Several {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client that reads and writes what the stack does.
pub async fn client(env: &Environment) -> Result<Client, Broken> {
    let target = target(env)?;
    let client = connect(&target, "stigmer-e2e").await;
    client.map_err(|error| Broken(error.to_string()))
}

fn target(env: &Environment) -> Result<Target, Broken> {
    let keys = Keys::load(env.home().join(".stigmer/payload.key").as_std_path());
    let keys = keys.map_err(|error| Broken(error.to_string()))?;
    Ok(Target {
        encryption: Encryption::with(keys),
        ..Target::plain(env.temporal_address(), env.namespace())
    })
}

impl Worker {
    /// Starts it and waits until it polls.
    pub async fn start(env: &Environment, spec: WorkerSpec) -> Result<Self, Broken> {
        let failed = |what: String| Broken(format!("a test's worker does not start: {what}"));
        let target = target(env)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let starting = runtime.spawn(async move {
            let client = connect(&target, "a test's worker").await;
            let client = client.map_err(|error| error.to_string())?;
            let handle = spawn_workers(client, vec![spec]);
            let mut handle = handle.map_err(|error| error.to_string())?;
            let polling = handle.until_polling(START.limit).await;
            polling.map(|()| handle).map_err(|error| error.to_string())
        });
        let started = starting.await.map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            handle: started.map_err(failed)?,
            runtime: Several(Some(runtime)),
        })
    }

    /// Stops it.
    pub async fn stop(self) -> Result<(), Broken> {
        let Self {
            handle,
            runtime: _until_stopped,
        } = self;
        let stopped = handle.stop(Duration::from_secs(10)).await;
        stopped.map_err(|error| Broken(error.to_string()))
    }
}
