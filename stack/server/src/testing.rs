//! What tests of several modules need.

use std::sync::Arc;

use camino::Utf8PathBuf;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    artifacts::Artifacts,
    executions::{Broker, Orchestrator},
    state::State,
    store::Store,
};

/// A state over files in a folder of its own, without Temporal until `connection` is set.
pub struct TestState {
    pub state: State,
    pub connection: watch::Sender<Option<Arc<dyn Orchestrator>>>,
    _folder: TempDir,
}

impl TestState {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a UTF-8 path");
        let broker = Arc::new(Broker::default());
        let store =
            Store::open(&root.join("stigmer.db"), vec![broker.clone()]).expect("the store opens");
        let artifacts = Artifacts::open(&root.join("storage")).expect("the folder is made");
        let (connection, connected) = watch::channel(None);
        let state = State::new(
            store,
            artifacts,
            broker,
            connected,
            CancellationToken::new(),
        );
        Self {
            state,
            connection,
            _folder: folder,
        }
    }
}
