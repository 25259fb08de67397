//! Which Temporal to talk to.

/// A Temporal service and one of its namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address of the frontend, `host:port` without a scheme.
    pub address: String,
    /// The namespace.
    pub namespace: String,
}

impl Target {
    /// The target named by `TEMPORAL_SERVICE_ADDRESS` (default `localhost:7233`) and
    /// `TEMPORAL_NAMESPACE` (default `default`). An empty value counts as unset.
    pub fn from_env() -> Self {
        let text = |variable, default: &str| {
            std::env::var(variable)
                .ok()
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| default.to_owned())
        };
        Self {
            address: text("TEMPORAL_SERVICE_ADDRESS", "localhost:7233"),
            namespace: text("TEMPORAL_NAMESPACE", "default"),
        }
    }
}
