//! `--runtime-env`.

use std::collections::HashMap;

use stigmer_api::execution_context::ExecutionValue;

/// An argument that is not a variable.
///
/// It is told as it was given, but for what may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeEnvError {
    #[error("invalid format: {0} (expected key=value)")]
    Format(String),
    #[error("empty key in: {0}")]
    EmptyKey(String),
}

/// The variables of one execution. Of two with the same key the later one counts.
pub fn parse_all(arguments: &[String]) -> Result<HashMap<String, ExecutionValue>, RuntimeEnvError> {
    arguments.iter().map(|argument| parse(argument)).collect()
}

/// `KEY=VALUE` or `secret:KEY=VALUE`, split at the first `=`; the key is trimmed, the value is not.
fn parse(argument: &str) -> Result<(String, ExecutionValue), RuntimeEnvError> {
    let (is_secret, pair) = match argument.strip_prefix("secret:") {
        Some(pair) => (true, pair),
        None => (false, argument),
    };
    let Some((key, value)) = pair.split_once('=') else {
        return Err(RuntimeEnvError::Format(shown(is_secret, "", pair)));
    };
    let key = key.trim();
    if key.is_empty() {
        return Err(RuntimeEnvError::EmptyKey(shown(is_secret, "=", value)));
    }
    Ok((
        key.to_owned(),
        ExecutionValue {
            value: value.to_owned(),
            is_secret,
        },
    ))
}

/// An argument for people: what comes after `secret:` and `before` stays unseen.
fn shown(is_secret: bool, before: &str, rest: &str) -> String {
    match (is_secret, rest) {
        (false, rest) => format!("{before}{rest}"),
        (true, "") => format!("secret:{before}"),
        (true, _) => format!("secret:{before}***"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, is_secret: bool) -> ExecutionValue {
        ExecutionValue {
            value: text.to_owned(),
            is_secret,
        }
    }

    #[test]
    fn pairs_are_split_once_and_values_are_kept_as_they_are() {
        for (argument, key, wanted) in [
            ("A=1", "A", value("1", false)),
            ("secret:B=2=3", "B", value("2=3", true)),
            ("C=", "C", value("", false)),
            (" D = x ", "D", value(" x ", false)),
            ("secret=y", "secret", value("y", false)),
        ] {
            assert_eq!(parse(argument), Ok((key.to_owned(), wanted)), "{argument}");
        }
    }

    #[test]
    fn a_bad_argument_is_named_but_no_secret_in_it() {
        for (argument, text) in [
            ("X", "invalid format: X (expected key=value)"),
            ("=1", "empty key in: =1"),
            ("secret:", "invalid format: secret: (expected key=value)"),
            ("secret:=1", "empty key in: secret:=***"),
            (
                "secret:hunter2",
                "invalid format: secret:*** (expected key=value)",
            ),
            ("", "invalid format:  (expected key=value)"),
        ] {
            assert_eq!(parse(argument).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn one_bad_argument_spoils_them_all() {
        assert!(parse_all(&["A=1".into(), "X".into()]).is_err());
        assert_eq!(
            parse_all(&["A=1".into(), "A=2".into()]).unwrap()["A"].value,
            "2"
        );
    }
}
