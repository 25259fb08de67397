//! What the workflows of executions have in common: reading what they are started with, and leaving
//! the execution with an end.

use std::time::Duration;

use temporalio_common::{
    RetryPolicy,
    data_converters::{
        GenericPayloadConverter as _, PayloadConversionError, PayloadConverter, RawValue,
        SerializationContext, SerializationContextData, TemporalDeserializable,
    },
    error::{ActivityExecutionError, ApplicationFailure},
};
use temporalio_sdk::{
    LocalActivityOptions, WorkflowCancellationToken, WorkflowContext, WorkflowTermination,
};

use super::{calls::Callee, failure};
use crate::executions::{Phase, Status};

/// How long writing the end may take, retries included.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A call of a runner that gave no status.
pub(super) struct Broken {
    cause: String,
    cancelled: bool,
}

impl Broken {
    /// A failed call, of a workflow that may have been cancelled meanwhile.
    pub(super) fn new<W>(
        ctx: &WorkflowContext<W>,
        callee: &Callee,
        error: &ActivityExecutionError,
    ) -> Self {
        Self {
            cause: failure::describe(callee, error),
            cancelled: error.as_cancelled().is_some() || ctx.cancellation_token().is_cancelled(),
        }
    }

    /// The status that the execution is left with.
    pub(super) fn status<S: Status>(&self) -> S {
        let (phase, cause) = match self.cancelled {
            true => (Phase::Cancelled, "cancelled"),
            false => (Phase::Failed, self.cause.as_str()),
        };
        let mut status = S::default();
        let progress = status.progress();
        *progress.phase = phase.number();
        cause.clone_into(progress.error);
        status
    }

    /// How the workflow ends.
    pub(super) fn termination(self) -> WorkflowTermination {
        match self.cancelled {
            true => WorkflowTermination::cancelled(),
            false => ApplicationFailure::non_retryable(self.cause).into(),
        }
    }
}

/// Options of the local activity that writes the end. It is not cancelled with the workflow: a
/// cancelled execution ends too.
pub(super) fn write_options() -> LocalActivityOptions {
    let retry = RetryPolicy::builder()
        .initial_interval(Duration::from_secs(2))
        .maximum_attempts(3)
        .build();
    LocalActivityOptions::builder()
        .schedule_to_close_timeout(WRITE_LIMIT)
        .retry_policy(retry)
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

/// Reads the argument of a workflow, in place of the SDK, which would try an unreadable one again for
/// ever.
pub(super) fn read<T: TemporalDeserializable + 'static>(
    converter: &PayloadConverter,
    input: RawValue,
) -> Result<T, PayloadConversionError> {
    let context = SerializationContext::new(&SerializationContextData::None, converter);
    converter.from_payloads(&context, input.payloads)
}
