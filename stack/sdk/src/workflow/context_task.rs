//! How context variables reach the run: a first SET task `context` holds those that tasks read, and
//! `$context.NAME` in a task becomes `$context.context.NAME`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Context, ValidationError, jq::path};

/// The task's name.
pub(super) const NAME: &str = "context";
const ROOT: &str = "$context";

/// Rewrites the tasks, given as protobuf JSON, to read context variables where the run has them. The
/// task to put first, if any variable is read.
pub(super) fn bind(
    tasks: &mut [Value],
    ctx: &Context,
    is_task: impl Fn(&str) -> bool,
) -> Result<Option<Value>, ValidationError> {
    let mut used = BTreeMap::new();
    for task in tasks {
        rewrite_all(task, &mut |name| {
            let Some(variable) = ctx.get(name) else {
                return Ok(false);
            };
            if is_task(name) {
                let name = name.to_owned();
                return Err(ValidationError::ContextAmbiguous { name });
            }
            let value = variable
                .shown()
                .ok_or_else(|| ValidationError::SecretInWorkflow {
                    name: name.to_owned(),
                })?;
            used.insert(name.to_owned(), as_text(&value));
            Ok(true)
        })?;
    }
    if used.is_empty() {
        return Ok(None);
    }
    if is_task(NAME) {
        let name = NAME.to_owned();
        return Err(ValidationError::TaskNameTaken { name });
    }
    Ok(Some(json!({
        "name": NAME,
        "kind": "WORKFLOW_TASK_KIND_SET",
        "taskConfig": {"variables": used},
        "export": {"as": "${.}"},
    })))
}

/// The text of a SET that gives exactly `value`.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains("${") => text.clone(),
        // JSON is jq.
        other => format!("${{ {other} }}"),
    }
}

type IsVariable<'a> = dyn FnMut(&str) -> Result<bool, ValidationError> + 'a;

fn rewrite_all(json: &mut Value, is_variable: &mut IsVariable<'_>) -> Result<(), ValidationError> {
    match json {
        Value::String(text) => *text = rewrite(text, is_variable)?,
        Value::Array(items) => {
            for item in items {
                rewrite_all(item, is_variable)?;
            }
        }
        Value::Object(fields) => {
            for (_, value) in fields {
                rewrite_all(value, is_variable)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn rewrite(text: &str, is_variable: &mut IsVariable<'_>) -> Result<String, ValidationError> {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ROOT) {
        let (before, after) = (&rest[..at + ROOT.len()], &rest[at + ROOT.len()..]);
        written.push_str(before);
        rest = after;
        if let Some((name, end)) = key(after)
            && is_variable(&name)?
        {
            written.push_str(&format!(".{NAME}{}", path(&name)));
            rest = &after[end..];
        }
    }
    written.push_str(rest);
    Ok(written)
}

/// The key that `.key` or `["key"]` at the start of `path` names, and where it ends.
fn key(path: &str) -> Option<(String, usize)> {
    if let Some(bare) = path.strip_prefix('.') {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = bare.find(|c| !fits(c)).unwrap_or(bare.len());
        return (end > 0).then(|| (bare[..end].to_owned(), end + 1));
    }
    let quoted = path.strip_prefix('[')?;
    let mut texts = serde_json::Deserializer::from_str(quoted).into_iter::<Value>();
    let name = texts.next()?.ok()?.as_str()?.to_owned();
    let end = texts.byte_offset();
    quoted[end..].starts_with(']').then_some((name, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_variables_are_rewritten() {
        let mut is_variable = |name: &str| Ok(name == "region" || name == "a\"b");
        for (before, after) in [
            ("${ $context.region }", "${ $context.context.region }"),
            (
                r#"x ${ $context["region"].f }"#,
                "x ${ $context.context.region.f }",
            ),
            (
                r#"${ $context["a\"b"] }"#,
                r#"${ $context.context["a\"b"] }"#,
            ),
            ("${ $context.regions }", "${ $context.regions }"),
            (
                r#"${ $context["task"].region }"#,
                r#"${ $context["task"].region }"#,
            ),
            ("$context", "$context"),
            ("$context[0]", "$context[0]"),
        ] {
            assert_eq!(rewrite(before, &mut is_variable).unwrap(), after);
        }
    }

    #[test]
    fn values_keep_their_type_and_are_never_evaluated() {
        assert_eq!(as_text(&json!("eu")), "eu");
        assert_eq!(as_text(&json!(3)), "${ 3 }");
        assert_eq!(as_text(&json!({"a": [true]})), r#"${ {"a":[true]} }"#);
        assert_eq!(as_text(&json!("${ .x }")), r#"${ "${ .x }" }"#);
    }
}
