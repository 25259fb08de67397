//! Environment variables that a resource needs at run time.

use std::fmt;

use stigmer_api::environment::{EnvironmentSpec, EnvironmentValue};

use crate::ValidationError;

/// An environment variable: its name, whether it is secret, and a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable {
    name: String,
    is_secret: bool,
    description: String,
    default_value: Option<String>,
    required: Option<bool>,
}

impl EnvironmentVariable {
    /// A required, plain variable called `name`.
    ///
    /// # Errors
    ///
    /// Unless `name` matches `^[A-Z_][A-Z0-9_]*$`.
    pub fn new(name: impl Into<String>) -> Result<Self, ValidationError> {
        let name = name.into();
        if name.is_empty() {
            return Err(ValidationError::VariableNameRequired);
        }
        let fits = |c: char| c.is_ascii_uppercase() || c == '_';
        if !name.starts_with(fits) || !name.chars().all(|c| fits(c) || c.is_ascii_digit()) {
            return Err(ValidationError::VariableNameFormat { name });
        }
        Ok(Self {
            name,
            is_secret: false,
            description: String::new(),
            default_value: None,
            required: None,
        })
    }

    /// Its value must not be shown.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// What it is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The value when none is given. Makes the variable optional, unless [`required`](Self::required)
    /// says otherwise.
    #[must_use]
    pub fn default_value(mut self, value: impl Into<String>) -> Self {
        self.default_value = Some(value.into());
        self
    }

    /// Whether a value must be given.
    #[must_use]
    pub fn required(mut self, required: bool) -> Self {
        self.required = Some(required);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a value must be given: so by default, unless there is a default value.
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(self.default_value.is_none())
    }
}

impl fmt::Display for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.is_secret { " (secret)" } else { "" };
        let optional = if self.is_required() {
            ""
        } else {
            " (optional)"
        };
        write!(f, "EnvVar({}{secret}{optional})", self.name)
    }
}

/// The `env_spec` of an agent, or nothing when it has no variables.
pub(crate) fn agent_env_spec(variables: &[EnvironmentVariable]) -> Option<EnvironmentSpec> {
    let count = variables.len();
    env_data(
        variables,
        format!("Environment variables for agent ({count} variables)"),
    )
}

/// An `env_spec`, or nothing when there are no variables. Of two variables with one name the later
/// one counts.
pub(crate) fn env_data(
    variables: &[EnvironmentVariable],
    description: String,
) -> Option<EnvironmentSpec> {
    if variables.is_empty() {
        return None;
    }
    let data = variables
        .iter()
        .map(|variable| {
            let value = EnvironmentValue {
                value: variable.default_value.clone().unwrap_or_default(),
                is_secret: variable.is_secret,
                description: variable.description.clone(),
            };
            (variable.name.clone(), value)
        })
        .collect();
    Some(EnvironmentSpec { description, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_upper_case_words() {
        for name in ["GITHUB_TOKEN", "_X", "A1"] {
            assert_eq!(EnvironmentVariable::new(name).unwrap().name(), name);
        }
        assert_eq!(
            EnvironmentVariable::new("").unwrap_err().to_string(),
            "environment variable name is required"
        );
        for name in ["github_token", "2FA_TOKEN", "API-KEY", "É"] {
            assert_eq!(
                EnvironmentVariable::new(name).unwrap_err().to_string(),
                format!(
                    "invalid environment variable name: {name} (must be uppercase letters, numbers, and underscores)"
                )
            );
        }
    }

    #[test]
    fn a_default_makes_a_variable_optional_unless_told_otherwise() {
        let variable = EnvironmentVariable::new("AWS_REGION").unwrap();
        assert!(variable.is_required());
        assert!(!variable.clone().default_value("us-east-1").is_required());
        assert!(
            variable
                .clone()
                .default_value("us-east-1")
                .required(true)
                .is_required()
        );
        assert!(!variable.required(false).is_required());
    }

    #[test]
    fn printing_names_what_matters_and_never_the_value() {
        let token = EnvironmentVariable::new("TOKEN")
            .unwrap()
            .secret()
            .default_value("hush");
        assert_eq!(token.to_string(), "EnvVar(TOKEN (secret) (optional))");
        assert_eq!(
            EnvironmentVariable::new("REGION").unwrap().to_string(),
            "EnvVar(REGION)"
        );
    }

    #[test]
    fn the_spec_counts_its_variables() {
        assert_eq!(agent_env_spec(&[]), None);
        let spec = agent_env_spec(&[
            EnvironmentVariable::new("TOKEN")
                .unwrap()
                .secret()
                .description("Access"),
            EnvironmentVariable::new("REGION")
                .unwrap()
                .default_value("us-east-1"),
        ])
        .unwrap();
        assert_eq!(
            spec.description,
            "Environment variables for agent (2 variables)"
        );
        assert_eq!(
            spec.data["TOKEN"],
            EnvironmentValue {
                value: String::new(),
                is_secret: true,
                description: "Access".into()
            }
        );
        assert_eq!(spec.data["REGION"].value, "us-east-1");
    }
}
