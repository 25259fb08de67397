//! Settings from environment variables. An empty value counts as unset.

/// A variable whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable}={value:?} is not {expected}; correct it or unset it")]
pub struct SettingError {
    /// The variable.
    pub variable: &'static str,
    /// What it holds.
    pub value: String,
    /// What it should hold.
    pub expected: &'static str,
}

/// The value of `variable`, unless unset or empty.
pub fn text(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
}

/// The value of `variable`, or `default`.
pub fn text_or(variable: &str, default: &str) -> String {
    text(variable).unwrap_or_else(|| default.to_owned())
}

/// The number in `variable`, or `default` when unset. The reference falls back in silence when it
/// does not parse; a wrong port is worth an error.
pub fn number<T: std::str::FromStr>(variable: &'static str, default: T) -> Result<T, SettingError> {
    match text(variable) {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| SettingError {
            variable,
            value,
            expected: "a number in range",
        }),
    }
}
