//! Which Temporal to talk to.

use stigmer_process::text_or;

use crate::{Encryption, EncryptionError};

/// A Temporal service, one of its namespaces, and how payloads travel there.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address of the frontend, `host:port` without a scheme.
    pub address: String,
    /// The namespace.
    pub namespace: String,
    /// How payloads are protected.
    pub encryption: Encryption,
}

impl Target {
    /// A target for somebody who sends no payloads that matter and reads none: they are plain.
    pub fn plain(address: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            namespace: namespace.into(),
            encryption: Encryption::none(),
        }
    }

    /// The target named by `TEMPORAL_SERVICE_ADDRESS` (default `localhost:7233`) and
    /// `TEMPORAL_NAMESPACE` (default `default`), with the encryption of [`Encryption::from_env`]. An
    /// empty value counts as unset.
    ///
    /// # Errors
    ///
    /// When the encryption cannot be had as told.
    pub fn from_env() -> Result<Self, EncryptionError> {
        Ok(Self {
            address: text_or("TEMPORAL_SERVICE_ADDRESS", "localhost:7233"),
            namespace: text_or("TEMPORAL_NAMESPACE", "default"),
            encryption: Encryption::from_env()?,
        })
    }
}
