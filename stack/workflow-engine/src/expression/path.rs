//! Paths such as `.item.title` and `$context["fetch"][0]`, which most expressions are, without jq:
//! nothing is compiled or converted, and only the value at the end is copied.
//!
//! What is no path, or leads somewhere that jq calls an error, is left to jq.

use std::iter;

use serde_json::Value as Json;

use super::{
    scope::{Shared, Variables},
    text::{self, Piece},
    value::Value,
};

/// `json` with every expression in its texts replaced by its value; `None` when one of them needs
/// jq.
pub(super) fn resolve(variables: &Variables<'_>, json: &Json) -> Option<Json> {
    match json {
        Json::String(text) => resolve_text(variables, text),
        Json::Array(items) => items.iter().map(|item| resolve(variables, item)).collect(),
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| Some((name.clone(), resolve(variables, value)?)))
            .collect::<Option<_>>()
            .map(Json::Object),
        other => Some(other.clone()),
    }
}

/// The value of the expression `code`; `None` when it needs jq.
pub(super) fn value(variables: &Variables<'_>, code: &str) -> Option<Json> {
    let (root, steps) = parse(code)?;
    let mut steps = steps.into_iter();
    let here = match root {
        "." => match variables.subject {
            Some(subject) => subject,
            None => top(variables.data, &mut steps, &["secrets", "env_vars"])?,
        },
        "$data" => top(variables.data, &mut steps, &[])?,
        "$context" => top(variables.context, &mut steps, &[])?,
        "$env" => variables.env,
        "$input" => variables.input,
        "$output" => variables.output,
        "$secrets" => {
            let Some(Step::Field(key)) = steps.next() else {
                return None;
            };
            let value = variables.placeholders.get(key)?;
            return steps.next().is_none().then(|| Json::from(value.as_str()));
        }
        _ => return None,
    };
    follow(here, steps).map(as_jq)
}

fn resolve_text(variables: &Variables<'_>, text: &str) -> Option<Json> {
    if let [Piece::Expression(code)] = text::cut(text.trim()).as_slice() {
        return value(variables, code);
    }
    let mut written = String::new();
    for piece in text::cut(text) {
        match piece {
            Piece::Text(text) => written.push_str(text),
            Piece::Placeholder { key, .. } => written.push_str(variables.placeholders.get(key)?),
            Piece::Expression(code) => match value(variables, code)? {
                Json::String(text) => written.push_str(&text),
                other => written.push_str(&other.to_string()),
            },
        }
    }
    Some(Json::String(written))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'c> {
    Field(&'c str),
    Item(usize),
}

static NULL: Json = Json::Null;

/// The field of `fields` that the first step leads to, unless there is no step, or it is one of
/// `elsewhere` and not here.
fn top<'v, 'c>(
    fields: &'v Shared,
    steps: &mut impl Iterator<Item = Step<'c>>,
    elsewhere: &[&str],
) -> Option<&'v Json> {
    match steps.next()? {
        Step::Field(name) => match fields.get(name) {
            None if elsewhere.contains(&name) => None,
            found => Some(found.map_or(&NULL, |value| value)),
        },
        Step::Item(_) => None,
    }
}

fn follow<'v, 'c>(from: &'v Json, steps: impl Iterator<Item = Step<'c>>) -> Option<&'v Json> {
    let mut here = from;
    for step in steps {
        here = match (here, step) {
            (Json::Null, _) => &NULL,
            (Json::Object(fields), Step::Field(name)) => fields.get(name).unwrap_or(&NULL),
            (Json::Array(items), Step::Item(at)) => items.get(at).unwrap_or(&NULL),
            _ => return None,
        };
    }
    Some(here)
}

/// A copy in which numbers are as jq writes them.
fn as_jq(json: &Json) -> Json {
    match json {
        Json::Number(number) if number.as_i64().is_none() => Value::from_json(json).to_json(),
        Json::Array(items) => items.iter().map(as_jq).collect(),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), as_jq(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// What the path starts from, `.` or a variable with its `$`, and where it goes.
fn parse(code: &str) -> Option<(&str, Vec<Step<'_>>)> {
    let (root, mut rest) = match code.strip_prefix('$') {
        Some(after) => code.split_at(1 + name_length(after)?),
        None => (".", code.strip_prefix('.').map(|_| code)?),
    };
    if rest == "." && root == "." {
        return Some((root, Vec::new()));
    }
    let steps = iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let step = step(rest);
        rest = step.map_or("", |(_, rest)| rest);
        Some(step.map(|(step, _)| step))
    });
    let steps = steps.collect::<Option<Vec<_>>>()?;
    Some((root, steps))
}

/// The first step of `code`, and what comes after it.
fn step(code: &str) -> Option<(Step<'_>, &str)> {
    let after_dot = code.strip_prefix('.').unwrap_or(code);
    if let Some(inside) = after_dot.strip_prefix('[') {
        let (index, rest) = inside.split_once(']')?;
        if let Some(quote @ ('"' | '\'')) = index.chars().next() {
            let name = index.strip_prefix(quote)?.strip_suffix(quote)?;
            let plain = !name.contains(['"', '\'', '\\']);
            return plain.then_some((Step::Field(name), rest));
        }
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        let at = digits.then(|| index.parse().ok()).flatten()?;
        return Some((Step::Item(at), rest));
    }
    if !code.starts_with('.') {
        return None;
    }
    let (name, rest) = after_dot.split_at(name_length(after_dot)?);
    Some((Step::Field(name), rest))
}

/// How long the name at the beginning of `code` is; `None` when there is none.
fn name_length(code: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = code.find(|c| !part(c)).unwrap_or(code.len());
    (end > 0 && !code.starts_with(|c: char| c.is_ascii_digit())).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        use Step::{Field, Item};
        for (code, root, steps) in [
            (".", ".", vec![]),
            (".a", ".", vec![Field("a")]),
            (".a.b_1[0]", ".", vec![Field("a"), Field("b_1"), Item(0)]),
            (".[2]", ".", vec![Item(2)]),
            (".a.[2]", ".", vec![Field("a"), Item(2)]),
            ("$output", "$output", vec![]),
            (
                "$context[\"a b\"]['c'].d",
                "$context",
                vec![Field("a b"), Field("c"), Field("d")],
            ),
        ] {
            assert_eq!(parse(code), Some((root, steps)), "{code}");
        }
        for code in [
            "",
            "..",
            ". ",
            ".a.",
            ".a b",
            ".a?",
            ".a[]",
            ".[-1]",
            ".[1:2]",
            ".[99999999999999999999]",
            ".[\"a\\\"b\"]",
            ".[\"a]\"]",
            ".[\"]",
            ".\"a\"",
            ".1a",
            "$",
            "$data a",
            "$data[.x]",
            "a",
            "now",
            "1",
            ".a | .b",
            ".a.b + 1",
            ".é",
        ] {
            assert_eq!(parse(code), None, "{code}");
        }
    }
}
