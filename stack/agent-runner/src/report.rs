//! Bringing a growing transcript to the server: in order, paced by time, the last state for certain.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use stigmer_api::agent_execution::AgentExecutionStatus;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::transcript::Transcript;

/// The least time between two updates, the last one aside. A model gives up to a hundred tokens a
/// second; people see no difference, and each update is a write to the server's disk.
const PACE: Duration = Duration::from_millis(100);

/// How long an update is tried again while the server cannot be reached, for instance because it
/// restarts. The workflow records a failure once this is over.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a status goes.
pub trait StatusSink: Send + Sync + 'static {
    /// Stores `status`, which holds all that earlier ones held, and waits until that is done.
    fn store(
        &self,
        status: AgentExecutionStatus,
    ) -> impl Future<Output = Result<(), SinkError>> + Send;
}

/// A status was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SinkError {
    /// Trying again may help.
    #[error("{0}")]
    Unavailable(String),
    /// The execution takes no more updates: it has ended otherwise, or was deleted.
    #[error("{0}")]
    Over(String),
    /// Anything else.
    #[error("{0}")]
    Refused(String),
}

/// The server does not have the last state of the transcript.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReportError {
    /// The execution ended otherwise, or was deleted, while it was worked on.
    #[error("the execution is over: {0}")]
    Over(String),
    /// The server refused an update, or could not be reached for long.
    #[error("failed to report the execution's status: {0}")]
    Refused(String),
    /// The last update took too long.
    #[error("failed to report the execution's last status within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// The transcript, for those who add to it.
#[derive(Clone)]
pub struct Record(Arc<watch::Sender<Transcript>>);

impl Record {
    /// Changes the transcript; the new state is sent when its time comes.
    pub fn update<T>(&self, change: impl FnOnce(&mut Transcript) -> T) -> T {
        let mut given = None;
        self.0
            .send_modify(|transcript| given = Some(change(transcript)));
        given.expect("send_modify calls its argument")
    }

    /// The status as it is now.
    pub fn status(&self) -> AgentExecutionStatus {
        self.0.borrow().status().clone()
    }
}

/// Holds the transcript and sends what becomes of it. Dropping it stops the sending.
pub struct Reporter {
    record: Record,
    finishing: CancellationToken,
    sending: JoinHandle<Result<(), ReportError>>,
}

impl Reporter {
    /// Begins with `transcript`, which is sent at once.
    pub fn start(sink: impl StatusSink, transcript: Transcript) -> Self {
        let (transcript, mut states) = watch::channel(transcript);
        states.mark_changed();
        let finishing = CancellationToken::new();
        let sending = tokio::spawn(send_all(sink, states, finishing.clone()));
        Self {
            record: Record(Arc::new(transcript)),
            finishing,
            sending,
        }
    }

    /// The transcript, to add to.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Resolves when the server takes no more updates, for instance because the execution was
    /// deleted; [`Reporter::finish`] then says why. Otherwise pending.
    pub async fn broken(&self) {
        // The sending task holds the only receiver.
        self.record.0.closed().await;
    }

    /// Sends the last state without delay and returns it once the server has it, within `limit`.
    pub async fn finish(mut self, limit: Duration) -> Result<AgentExecutionStatus, ReportError> {
        self.finishing.cancel();
        match timeout(limit, &mut self.sending).await {
            Ok(Ok(sent)) => sent?,
            Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            Err(_) => return Err(ReportError::TimedOut(limit)),
        }
        Ok(self.record.status())
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.sending.abort();
    }
}

/// Sends the newest state again and again, each only after the one before it was stored.
async fn send_all(
    sink: impl StatusSink,
    mut states: watch::Receiver<Transcript>,
    finishing: CancellationToken,
) -> Result<(), ReportError> {
    loop {
        tokio::select! {
            biased;
            changed = states.changed() => if changed.is_err() { return Ok(()) },
            () = finishing.cancelled() => return Ok(()),
        }
        let status = states.borrow_and_update().status().clone();
        store(&sink, status).await?;
        // Over when it is time for the next state, or when the next one is the last.
        let _ = timeout(PACE, finishing.cancelled()).await;
    }
}

async fn store(sink: &impl StatusSink, status: AgentExecutionStatus) -> Result<(), ReportError> {
    let end = Instant::now() + PATIENCE;
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .with_jitter()
        .without_max_times();
    (|| sink.store(status.clone()))
        .retry(backoff)
        .when(|error| matches!(error, SinkError::Unavailable(_)) && Instant::now() < end)
        .notify(|error, pause| tracing::debug!(%error, ?pause, "trying to report the status again"))
        .await
        .map_err(|error| match error {
            SinkError::Over(cause) => ReportError::Over(cause),
            SinkError::Unavailable(cause) | SinkError::Refused(cause) => {
                ReportError::Refused(cause)
            }
        })
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    use stigmer_api::agent_execution::ExecutionPhase;

    use super::*;

    /// Stores what it is given, after answering with the errors it was told to.
    #[derive(Clone, Default)]
    struct Recorder {
        stored: Arc<Mutex<Vec<(Instant, AgentExecutionStatus)>>>,
        errors: Arc<Mutex<VecDeque<SinkError>>>,
        slow: Duration,
    }

    impl StatusSink for Recorder {
        async fn store(&self, status: AgentExecutionStatus) -> Result<(), SinkError> {
            tokio::time::sleep(self.slow).await;
            if let Some(error) = self.errors.lock().unwrap().pop_front() {
                return Err(error);
            }
            self.stored.lock().unwrap().push((Instant::now(), status));
            Ok(())
        }
    }

    impl Recorder {
        fn failing(errors: impl IntoIterator<Item = SinkError>) -> Self {
            Self {
                errors: Arc::new(Mutex::new(errors.into_iter().collect())),
                ..Self::default()
            }
        }

        fn texts(&self) -> Vec<String> {
            let stored = self.stored.lock().unwrap();
            stored
                .iter()
                .map(|(_, status)| {
                    status
                        .messages
                        .iter()
                        .skip(1)
                        .map(|m| m.content.as_str())
                        .collect()
                })
                .collect()
        }
    }

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn fast_growth_is_sent_in_few_growing_states() {
        let recorder = Recorder::default();
        let reporter = Reporter::start(recorder.clone(), Transcript::begin("Hi"));
        for _ in 0..250 {
            reporter
                .record()
                .update(|transcript| transcript.append("x"));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        reporter
            .record()
            .update(|transcript| transcript.fail("over"));
        let last = reporter.finish(SOON).await.unwrap();
        let stored = recorder.stored.lock().unwrap().clone();
        assert!((3..=20).contains(&stored.len()), "{} updates", stored.len());
        for pair in stored[..stored.len() - 1].windows(2) {
            assert!(pair[1].0 - pair[0].0 >= PACE, "sent too fast");
        }
        let texts = recorder.texts();
        assert!(
            texts.windows(2).all(|pair| pair[1].starts_with(&pair[0])),
            "{texts:?}"
        );
        assert_eq!(stored.last().unwrap().1, last);
        assert_eq!(last.phase(), ExecutionPhase::ExecutionFailed);
    }

    #[tokio::test]
    async fn the_last_state_does_not_wait_for_its_turn() {
        let recorder = Recorder::default();
        let reporter = Reporter::start(recorder.clone(), Transcript::begin("Hi"));
        tokio::time::sleep(Duration::from_millis(10)).await;
        reporter
            .record()
            .update(|transcript| transcript.append("done"));
        let begin = Instant::now();
        reporter.finish(SOON).await.unwrap();
        assert!(begin.elapsed() < PACE, "{:?}", begin.elapsed());
        assert_eq!(recorder.texts(), ["", "done"]);
    }

    #[tokio::test]
    async fn transient_errors_are_tried_again_until_the_state_is_stored() {
        let recorder = Recorder::failing(vec![SinkError::Unavailable("restarting".to_owned()); 3]);
        let reporter = Reporter::start(recorder.clone(), Transcript::begin("Hi"));
        reporter
            .record()
            .update(|transcript| transcript.append("done"));
        reporter.finish(SOON).await.unwrap();
        assert_eq!(recorder.texts().last().unwrap(), "done");
    }

    #[tokio::test]
    async fn an_execution_that_is_over_ends_the_reporting_at_once() {
        let recorder = Recorder::failing([SinkError::Over("deleted".to_owned())]);
        let reporter = Reporter::start(recorder, Transcript::begin("Hi"));
        timeout(SOON, reporter.broken())
            .await
            .expect("the end is noticed");
        let error = reporter.finish(SOON).await.unwrap_err();
        assert!(matches!(error, ReportError::Over(_)), "{error}");
    }

    #[tokio::test]
    async fn waiting_for_the_last_state_is_bounded() {
        let recorder = Recorder {
            slow: Duration::from_secs(30),
            ..Recorder::default()
        };
        let reporter = Reporter::start(recorder, Transcript::begin("Hi"));
        let error = reporter
            .finish(Duration::from_millis(50))
            .await
            .unwrap_err();
        assert!(matches!(error, ReportError::TimedOut(_)), "{error}");
    }
}
