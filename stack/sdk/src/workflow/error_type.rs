//! The types of errors that tasks end with.

use std::fmt;

/// The type of an error, as a catch reads it in `error.type` and as a RAISE states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// An HTTP call failed.
    Http,
    /// A gRPC call failed.
    Grpc,
    /// A document or a value breaks a rule.
    Validation,
    /// A condition cannot be evaluated.
    Condition,
    /// A command failed.
    Command,
    /// Any error.
    Any,
    /// A type of one's own.
    Custom(String),
}

impl ErrorType {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Http => "CallHTTP error",
            Self::Grpc => "CallGRPC error",
            Self::Validation => "Validation",
            Self::Condition => "If statement error",
            Self::Command => "command",
            Self::Any => "*",
            Self::Custom(name) => name,
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<ErrorType> for String {
    fn from(kind: ErrorType) -> Self {
        kind.name().to_owned()
    }
}
