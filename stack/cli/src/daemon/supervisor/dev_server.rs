//! The Temporal dev server as a service.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use stigmer_process::{DEV_SERVER, NO_VERSION_CHECK};
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
            .args(DEV_SERVER)
            .args([
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
            ])
            .env(NO_VERSION_CHECK.0, NO_VERSION_CHECK.1))
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
