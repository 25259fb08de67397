//! Evaluates the contract's validation rules on any message, nested messages included.

mod rules;
mod tasks;

use std::fmt;

use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, ReflectMessage, Value};
use regex_lite::Regex;

pub use tasks::validate_tasks;

use rules::RULES;

/// One constraint on one field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Not the zero value; a message must be set, a list or map must not be empty.
    Required,
    /// At least so many Unicode code points.
    MinLen(usize),
    /// At most so many Unicode code points.
    MaxLen(usize),
    /// At least so many list items.
    MinItems(usize),
    /// Exactly this text.
    Const(&'static str),
    /// The text matches.
    Pattern(&'static str),
    /// One of these texts.
    In(&'static [&'static str]),
    /// A number not below.
    Gte(i32),
    /// A number not above.
    Lte(i32),
    /// A declared enum value.
    DefinedOnly,
    /// An absolute URI.
    Uri,
    /// `owner_scope` of the metadata is one of these.
    OwnerScopeIn(&'static [i32]),
    /// `kind` of every reference in the list is one of these.
    ItemKindIn(&'static [i32]),
    /// A member of the oneof is set.
    OneofRequired,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, such as `spec.mcp_servers[0].name`.
    pub path: String,
    /// What is wrong with it.
    pub text: String,
}

/// Every rule that a message breaks, in field order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "validation error: {}: {}", one.path, one.text),
            many => {
                write!(f, "validation errors:")?;
                many.iter()
                    .try_for_each(|v| write!(f, "\n - {}: {}", v.path, v.text))
            }
        }
    }
}

/// Checks `message` and everything below it.
pub fn validate<M: ReflectMessage>(message: &M) -> Result<(), Violations> {
    let mut found = Vec::new();
    check_message(&message.transcode_to_dynamic(), "", &mut found);
    if found.is_empty() {
        Ok(())
    } else {
        Err(Violations(found))
    }
}

fn check_message(message: &DynamicMessage, path: &str, found: &mut Vec<Violation>) {
    let descriptor = message.descriptor();
    let rules = RULES
        .iter()
        .find(|(name, _)| *name == descriptor.full_name())
        .map_or(&[][..], |(_, fields)| fields);
    for (field, rules) in rules {
        let at = join(path, field);
        for rule in *rules {
            if let Some((suffix, text)) = broken(rule, message, field) {
                found.push(Violation {
                    path: format!("{at}{suffix}"),
                    text,
                });
            }
        }
    }
    for field in descriptor.fields() {
        if !field.supports_presence() || message.has_field(&field) {
            check_nested(&message.get_field(&field), &join(path, field.name()), found);
        }
    }
}

fn check_nested(value: &Value, path: &str, found: &mut Vec<Violation>) {
    match value {
        Value::Message(inner) => check_message(inner, path, found),
        // JSON, which these numbers come from and go to, has no others.
        Value::F64(number) if !number.is_finite() => found.push(Violation {
            path: path.to_owned(),
            text: format!("{number} is not a finite number"),
        }),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_nested(item, &format!("{path}[{index}]"), found);
            }
        }
        Value::Map(entries) => {
            let mut entries = entries.iter().collect::<Vec<_>>();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            for (key, item) in entries {
                let key = match key {
                    MapKey::String(text) => format!("\"{text}\""),
                    other => format!("{other:?}"),
                };
                check_nested(item, &format!("{path}[{key}]"), found);
            }
        }
        _ => {}
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// The path suffix and text of a broken rule.
fn broken(rule: &Rule, message: &DynamicMessage, field: &str) -> Option<(String, String)> {
    let here = |text: String| Some((String::new(), text));
    if *rule == Rule::OneofRequired {
        let oneof = message.descriptor().oneofs().find(|o| o.name() == field)?;
        return match oneof.fields().any(|f| message.has_field(&f)) {
            true => None,
            false => here("exactly one field is required in oneof".to_owned()),
        };
    }
    let field = message.descriptor().get_field_by_name(field)?;
    let value = message.get_field(&field);
    match *rule {
        Rule::Required => match is_set(message, &field, &value) {
            true => None,
            false => here("value is required".to_owned()),
        },
        Rule::OwnerScopeIn(allowed) => {
            let scope =
                inner_number(&value, "owner_scope").filter(|_| message.has_field(&field))?;
            (!allowed.contains(&scope)).then(|| {
                (
                    ".owner_scope".to_owned(),
                    format!("must be one of {}", scope_names(allowed)),
                )
            })
        }
        Rule::ItemKindIn(allowed) => {
            value
                .as_list()?
                .iter()
                .enumerate()
                .find_map(|(index, item)| {
                    let kind = inner_number(item, "kind")?;
                    (!allowed.contains(&kind)).then(|| {
                        (
                            format!("[{index}].kind"),
                            format!("must be kind {}", numbers(allowed)),
                        )
                    })
                })
        }
        _ => broken_scalar(rule, &field, &value).and_then(here),
    }
}

fn broken_scalar(rule: &Rule, field: &FieldDescriptor, value: &Value) -> Option<String> {
    let text = || value.as_str().unwrap_or_default();
    let length = || text().chars().count();
    let (ok, problem) = match *rule {
        Rule::MinLen(min) => (
            length() >= min,
            format!("value length must be at least {min} characters"),
        ),
        Rule::MaxLen(max) => (
            length() <= max,
            format!("value length must be at most {max} characters"),
        ),
        Rule::MinItems(min) => {
            let len = value.as_list().map_or(0, <[Value]>::len);
            (
                len >= min,
                format!("value must contain at least {min} item(s)"),
            )
        }
        Rule::Const(wanted) => (text() == wanted, format!("value must equal `{wanted}`")),
        Rule::Pattern(pattern) => {
            // Patterns are literals of the rule table; a test compiles every one.
            let regex = Regex::new(pattern).expect("a contract pattern compiles");
            (
                regex.is_match(text()),
                format!("value does not match regex pattern `{pattern}`"),
            )
        }
        Rule::In(allowed) => (
            allowed.contains(&text()),
            format!("value must be in list [{}]", allowed.join(", ")),
        ),
        Rule::Gte(min) => (
            number(value)? >= f64::from(min),
            format!("value must be greater than or equal to {min}"),
        ),
        Rule::Lte(max) => (
            number(value)? <= f64::from(max),
            format!("value must be less than or equal to {max}"),
        ),
        Rule::DefinedOnly => {
            let kind = field.kind();
            let known = value
                .as_enum_number()
                .zip(kind.as_enum())
                .is_some_and(|(n, e)| e.get_value(n).is_some());
            (
                known,
                "value must be one of the defined enum values".to_owned(),
            )
        }
        Rule::Uri => (
            is_absolute_uri(text()),
            "value must be a valid URI".to_owned(),
        ),
        Rule::Required | Rule::OwnerScopeIn(_) | Rule::ItemKindIn(_) | Rule::OneofRequired => {
            return None;
        }
    };
    (!ok).then_some(problem)
}

fn is_set(message: &DynamicMessage, field: &FieldDescriptor, value: &Value) -> bool {
    match value {
        Value::Message(_) => message.has_field(field),
        other => !other.is_default_for_field(field),
    }
}

fn inner_number(value: &Value, field: &str) -> Option<i32> {
    value
        .as_message()?
        .get_field_by_name(field)?
        .as_enum_number()
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_i32()
        .map(f64::from)
        .or_else(|| value.as_f32().map(f64::from))
}

fn numbers(list: &[i32]) -> String {
    list.iter()
        .map(i32::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}

fn scope_names(list: &[i32]) -> String {
    list.iter()
        .map(|n| crate::ApiResourceOwnerScope::try_from(*n).map_or("?", |s| s.as_str_name()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
