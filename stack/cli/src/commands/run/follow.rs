//! Following an execution.

use anyhow::{Result, bail};

use crate::{
    api::{Api, Execution, Snapshot, reason},
    render::{LiveView, Screen, final_block},
};

/// Shows the execution `id` until it ends, and returns its last state.
///
/// # Errors
///
/// When the server stops telling before the execution has ended. The execution goes on.
pub async fn to_the_end<E: Execution>(api: &Api, id: &str, screen: &Screen) -> Result<Snapshot> {
    let mut updates = E::subscribe(api, id).await?;
    screen.success(format!("Streaming {} execution logs", E::OF));
    screen.blank();
    let mut view = LiveView::default();
    loop {
        let cause = match updates.message().await {
            Ok(Some(execution)) => {
                let snapshot = execution.snapshot();
                view.update(&snapshot)
                    .iter()
                    .for_each(|piece| screen.piece(piece));
                if snapshot.phase.is_terminal() {
                    final_block(E::OF, &snapshot)
                        .iter()
                        .for_each(|line| screen.line(line));
                    return Ok(snapshot);
                }
                continue;
            }
            Ok(None) => "the server ended the stream".to_owned(),
            Err(status) => reason(&status),
        };
        bail!(
            "lost the stream of execution {id}: {cause}\n\nThe execution goes on. To see its state:\n  \
             grpcurl -plaintext -d '{{\"value\": \"{id}\"}}' {} {}",
            api.address(),
            E::GET,
        );
    }
}
