//! The Temporal dev server as a service.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use stigmer_supervise::{HealthPolicy, Readiness, RestartPolicy, Service, Spec, StopPolicy};

use super::services::ANSWER;
use crate::daemon::{Part, Settings, health, settings::Managed};

/// A Temporal dev server.
pub(super) struct DevServer {
    pub(super) managed: Managed,
    pub(super) settings: Rc<Settings>,
}

impl Service for DevServer {
    fn name(&self) -> &str {
        Part::Temporal.name()
    }

    fn command(&self) -> anyhow::Result<Spec> {
        let layout = &self.settings.layout;
        let log = layout.log(Part::Temporal);
        let (port, ui_port) = (
            self.managed.port.to_string(),
            self.managed.ui_port.to_string(),
        );
        let store = layout.temporal_store();
        Ok(Spec::new(self.name(), &self.managed.program, log)
            .args([
                "server",
                "start-dev",
                "--ip",
                "127.0.0.1",
                "--port",
                &port,
                "--ui-port",
                &ui_port,
                "--namespace",
                &self.settings.namespace,
                "--db-filename",
                store.as_str(),
                // A write-ahead log loses nothing when the process is killed, and is ten times as fast.
                "--sqlite-pragma",
                "journal_mode=wal",
                "--sqlite-pragma",
                "synchronous=normal",
                "--log-level",
                "warn",
                // The user's own configuration of the Temporal CLI is about other servers.
                "--disable-config-file",
                "--disable-config-env",
                // The transfer queue is otherwise polled 20 times a second, which adds 100 ms to every
                // workflow.
                "--dynamic-config-value",
                "history.transferProcessorMaxPollRPS=1000",
                // One process serves every partition of a queue; more of them only cost processor time.
                "--dynamic-config-value",
                "matching.numTaskqueueReadPartitions=1",
                "--dynamic-config-value",
                "matching.numTaskqueueWritePartitions=1",
                // Once in some thousand times a wait for the end of a workflow misses it, and learns of
                // it only when its long poll expires: after 20 s otherwise.
                "--dynamic-config-value",
                "history.longPollExpirationInterval=\"1s\"",
            ])
            // It would ask its makers for a newer version at every start.
            .env("TEMPORAL_VERSION_CHECK_DISABLED", "1"))
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let address = self.settings.temporal.address();
        Box::pin(async move { health::probe(&address, health::TEMPORAL_FRONTEND, ANSWER).await })
    }

    fn health_policy(&self) -> Option<HealthPolicy> {
        Some(HealthPolicy::default())
    }

    fn restart_policy(&self) -> Option<RestartPolicy> {
        Some(RestartPolicy::default())
    }

    fn stop_policy(&self) -> StopPolicy {
        // Its clients are gone by then, and what it keeps is in the write-ahead log; a polite end
        // takes it two seconds.
        StopPolicy::Kill
    }
}
