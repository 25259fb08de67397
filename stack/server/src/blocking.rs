//! Work that waits for a disk or takes a processor for long, away from the threads that serve calls.

use tokio::task;

/// Runs `work` on a thread where it may block. A panic in it goes on here.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Such tasks are only cancelled while the runtime ends, and then nobody waits.
            Err(_) => std::future::pending().await,
        },
    }
}
