//! What can go wrong while a program describes its resources. Every error says all there is to say in
//! its own text, because programs print it as they like.

use std::{io, path::PathBuf};

/// The error type of the function given to [`run`](crate::run): any error fits.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of the function given to [`run`](crate::run).
pub type Result<T = (), E = BoxError> = std::result::Result<T, E>;

/// A value that an author chose and that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// A resource without a name.
    #[error("validation failed for field \"name\": name is required")]
    NameRequired,
    /// A resource name of more than 63 characters.
    #[error(
        "validation failed for field \"name\": name must be at most 63 characters (got {length})"
    )]
    NameTooLong {
        /// The characters it has.
        length: usize,
    },
    /// A resource name with characters it may not have.
    #[error(
        "validation failed for field \"name\": invalid name format: must be lowercase alphanumeric with hyphens, starting and ending with alphanumeric"
    )]
    NameFormat,
    /// A reference without a slug.
    #[error("slug cannot be empty")]
    SlugEmpty,
    /// A reference with a slug that no resource can have.
    #[error(
        "invalid slug {slug:?}: must contain only lowercase letters, numbers, and hyphens (cannot start/end with hyphen)"
    )]
    SlugFormat {
        /// The slug.
        slug: String,
    },
    /// An environment variable without a name.
    #[error("environment variable name is required")]
    VariableNameRequired,
    /// An environment variable with a name that shells do not take.
    #[error(
        "invalid environment variable name: {name} (must be uppercase letters, numbers, and underscores)"
    )]
    VariableNameFormat {
        /// The name.
        name: String,
    },
    /// Two parts of an agent, of one kind, with one name.
    #[error("{name:?} is the name of another one of the agent; choose another name")]
    PartNameTaken {
        /// The name.
        name: String,
    },
    /// A sub-agent that uses a server which its agent does not have.
    #[error("the agent has no MCP server {server:?}; add it to the agent")]
    ServerUnknown {
        /// The server.
        server: String,
    },
    /// A selection of tools of a server which the sub-agent does not use.
    #[error(
        "tools of {server:?} are selected, which the sub-agent does not use; add the server to it"
    )]
    ServerUnused {
        /// The server.
        server: String,
    },
    /// A workflow without a namespace.
    #[error("validation failed for field \"namespace\": namespace is required")]
    NamespaceRequired,
    /// A task name with characters it may not have, or with none.
    #[error(
        "validation failed for field \"name\": invalid task name {name:?}: must be letters, digits, hyphens, and underscores"
    )]
    TaskNameFormat {
        /// The name.
        name: String,
    },
    /// A task name of more than 100 characters.
    #[error(
        "validation failed for field \"name\": task name must be at most 100 characters (got {length})"
    )]
    TaskNameTooLong {
        /// The characters it has.
        length: usize,
    },
    /// A task name that has a meaning of its own where a task says what comes next.
    #[error(
        "validation failed for field \"name\": task name {name:?} is reserved; choose another name"
    )]
    TaskNameReserved {
        /// The name.
        name: String,
    },
    /// Two tasks of a workflow, nested ones included, with one name.
    #[error("validation failed: duplicate task name: {name:?}")]
    TaskNameTaken {
        /// The name.
        name: String,
    },
    /// A task that depends on one that the workflow does not have.
    #[error("validation failed: task {task:?} depends on {on:?}, which is not in the workflow")]
    DependencyUnknown {
        /// The task.
        task: String,
        /// What it depends on.
        on: String,
    },
    /// A key of a run-time secret or variable that no environment can have.
    #[error(
        "invalid runtime reference key: {key:?} (must be uppercase letters, numbers, and underscores)"
    )]
    RuntimeKey {
        /// The key.
        key: String,
    },
    /// A text that is not a reference to a run-time secret or variable.
    #[error(
        "invalid runtime reference: {text:?} (must be ${{.secrets.KEY}} or ${{.env_vars.KEY}})"
    )]
    RuntimeRef {
        /// The text.
        text: String,
    },
    /// A secret of the program that a task would read at run time.
    #[error(
        "context variable {name:?} is secret and would be stored in the workflow; use runtime_secret instead"
    )]
    SecretInWorkflow {
        /// The variable.
        name: String,
    },
    /// A name that could mean a context variable or a task.
    #[error("{name:?} is both a context variable and a task; rename one of them")]
    ContextAmbiguous {
        /// The name.
        name: String,
    },
    /// A result that is no whole number of 64 bits.
    #[error("{left} {operator} {right} is not a 64-bit number")]
    Arithmetic {
        /// The left operand.
        left: i64,
        /// `+`, `-`, `*` or `/`.
        operator: char,
        /// The right operand.
        right: i64,
    },
}

/// Why a resource does not become a message of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConversionError {
    #[error("{field}: {reason}")]
    Field {
        field: String,
        reason: ValidationError,
    },
    #[error("agent validation failed: {0}")]
    Agent(stigmer_api::validate::Violations),
    #[error("workflow validation failed: {0}")]
    Workflow(stigmer_api::validate::Violations),
    #[error("workflow validation failed: {0}")]
    WorkflowRule(ValidationError),
    #[error("workflow validation failed: task {task:?}: {reason}")]
    Task { task: String, reason: String },
}

/// Why the described resources could not be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesisError {
    /// A resource breaks a rule of the contract.
    #[error("synthesis [{phase}] {kind} {name:?} failed: failed to convert to proto: {reason}")]
    Conversion {
        /// `agents` or `workflows`.
        phase: &'static str,
        /// `Agent` or `Workflow`.
        kind: &'static str,
        /// The resource's name.
        name: String,
        /// The broken rules.
        reason: String,
    },
    /// A file cannot be written.
    #[error("failed to write {}: {reason}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Why a program ended without handing over its resources.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The function given to [`run`](crate::run) returned an error.
    #[error("context function failed: {0}")]
    Function(BoxError),
    /// The resources could not be handed over.
    #[error("synthesis failed: {0}")]
    Synthesis(SynthesisError),
}
