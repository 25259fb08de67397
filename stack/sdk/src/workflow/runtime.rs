//! Secrets and environment variables that an execution is given. The workflow holds placeholders.

use crate::ValidationError;

const FORMS: [&str; 2] = ["${.secrets.", "${.env_vars."];

/// Stands for the secret `key` of an execution: `${.secrets.KEY}`.
///
/// # Errors
///
/// Unless `key` matches `^[A-Z_][A-Z0-9_]*$`.
pub fn runtime_secret(key: &str) -> Result<String, ValidationError> {
    placeholder(FORMS[0], key)
}

/// Stands for the plain variable `key` of an execution: `${.env_vars.KEY}`.
///
/// # Errors
///
/// Unless `key` matches `^[A-Z_][A-Z0-9_]*$`.
pub fn runtime_env(key: &str) -> Result<String, ValidationError> {
    placeholder(FORMS[1], key)
}

/// Whether `text` is exactly one placeholder.
pub fn is_runtime_ref(text: &str) -> bool {
    extract_runtime_refs(text) == [text]
}

/// Checks that `text` is exactly one placeholder.
///
/// # Errors
///
/// When it is not.
pub fn validate_runtime_ref(text: &str) -> Result<(), ValidationError> {
    match is_runtime_ref(text) {
        true => Ok(()),
        false => Err(ValidationError::RuntimeRef {
            text: text.to_owned(),
        }),
    }
}

/// The placeholders in `text`, in order.
pub fn extract_runtime_refs(text: &str) -> Vec<&str> {
    let starts = text.match_indices("${").map(|(at, _)| &text[at..]);
    let whole = |rest: &str| {
        let form = FORMS.iter().find(|form| rest.starts_with(**form))?;
        let end = rest.find('}')?;
        is_key(&rest[form.len()..end]).then_some(end + 1)
    };
    starts
        .filter_map(|rest| whole(rest).map(|end| &rest[..end]))
        .collect()
}

fn placeholder(form: &str, key: &str) -> Result<String, ValidationError> {
    match is_key(key) {
        true => Ok(format!("{form}{key}}}")),
        false => Err(ValidationError::RuntimeKey {
            key: key.to_owned(),
        }),
    }
}

fn is_key(key: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c == '_';
    key.starts_with(fits) && key.chars().all(|c| fits(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_have_one_exact_form() {
        assert_eq!(runtime_secret("API_KEY").unwrap(), "${.secrets.API_KEY}");
        assert_eq!(runtime_env("_A1").unwrap(), "${.env_vars._A1}");
        for key in ["", "api_key", "1A", "A-B", "A}"] {
            assert!(runtime_secret(key).is_err(), "{key}");
        }
        assert!(validate_runtime_ref("${.secrets.A}").is_ok());
        for text in [
            "x ${.secrets.A}",
            "${.secrets.a}",
            "${ .secrets.A }",
            "${.other.A}",
            "",
        ] {
            assert!(validate_runtime_ref(text).is_err(), "{text}");
        }
    }

    #[test]
    fn placeholders_are_found_in_longer_text() {
        let text = "Bearer ${.secrets.A}, ${ .b } ${.env_vars.C}${.secrets.d} ${";
        assert_eq!(
            extract_runtime_refs(text),
            ["${.secrets.A}", "${.env_vars.C}"]
        );
    }
}
