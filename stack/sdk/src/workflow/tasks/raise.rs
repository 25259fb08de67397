//! RAISE.

use stigmer_api::commons::WorkflowTaskKind;

use super::becomes_task;
use crate::workflow::draft::Draft;

/// Fails on purpose.
#[derive(Clone, Debug)]
pub struct Raise(Draft);

becomes_task!(Raise);

impl Raise {
    /// Fails with an error of type `error`, such as an [`ErrorType`](crate::ErrorType).
    pub fn new(
        name: impl Into<String>,
        error: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let draft = Draft::new(name, WorkflowTaskKind::Raise)
            .with("error", error.into())
            .with("message", message.into());
        Self(draft)
    }
}
