//! Annotations that parts of the stack read, beyond the fields of the contract.

/// On an agent execution: the temperature to ask the model with, such as `0.1`. The contract's
/// `ExecutionConfig` has no field for it.
pub const EXECUTION_TEMPERATURE: &str = "stigmer.ai/execution.temperature";

/// On an agent execution: the seconds after which nobody waits for its answer any more.
pub const EXECUTION_TIMEOUT_SECONDS: &str = "stigmer.ai/execution.timeout-seconds";
