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
}

/// Why the described resources could not be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesisError {
    /// A resource breaks a rule of the contract.
    #[error("synthesis [{phase}] {kind} {name:?} failed: failed to convert to proto: {reason}")]
    Conversion {
        /// `agents`.
        phase: &'static str,
        /// `Agent`.
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
