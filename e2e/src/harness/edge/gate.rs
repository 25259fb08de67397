//! A reply that waits for the test instead of for a time.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Closed until the test opens it; then open for good.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        // A closed semaphore wakes every waiter and never blocks again.
        self.0.close();
    }

    pub(super) async fn pass(&self) {
        // The only outcome is the error of the closed semaphore: no permit is ever added.
        let _ = self.0.acquire().await;
    }
}
