//! Values that exist at run time only.

use std::fmt;

use serde_json::Value;

use crate::{jq::Jq, value::Ref};

/// What computes a value at run time, such as a field of a task's output.
///
/// Printed, it is the text that a task takes, so that `format!("PR #{}", pull.field("number"))`
/// and `json!({ "title": pull.field("title").to_string() })` mean what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression(Jq);

impl Expression {
    /// Hand-written jq, without `${ }` around it.
    pub fn jq(code: impl Into<String>) -> Self {
        Self(Jq::other(code))
    }

    /// A field of an object; `user.login` is a field of a field.
    pub fn field(&self, name: &str) -> Self {
        Self(
            name.split('.')
                .fold(self.0.clone(), |jq, key| jq.member(key)),
        )
    }

    /// The item at `index` of a list, counted from 0.
    pub fn item(&self, index: usize) -> Self {
        Self(self.0.item(index))
    }

    /// What the jq filter makes of this value: `commits.pipe("length")`.
    pub fn pipe(&self, filter: &str) -> Self {
        Self(self.0.pipe(filter))
    }

    /// Whether this is `other`.
    pub fn equals(&self, other: impl Into<Operand>) -> Self {
        self.compare("==", other)
    }

    /// Whether this is anything but `other`.
    pub fn not_equals(&self, other: impl Into<Operand>) -> Self {
        self.compare("!=", other)
    }

    /// Whether this is greater than `other`.
    pub fn greater_than(&self, other: impl Into<Operand>) -> Self {
        self.compare(">", other)
    }

    /// Whether this is `other` or greater.
    pub fn greater_than_or_equal(&self, other: impl Into<Operand>) -> Self {
        self.compare(">=", other)
    }

    /// Whether this is less than `other`.
    pub fn less_than(&self, other: impl Into<Operand>) -> Self {
        self.compare("<", other)
    }

    /// Whether this is `other` or less.
    pub fn less_than_or_equal(&self, other: impl Into<Operand>) -> Self {
        self.compare("<=", other)
    }

    /// Whether this text holds `part`.
    pub fn contains(&self, part: impl Into<Operand>) -> Self {
        self.call("contains", part)
    }

    /// Whether this text starts with `part`.
    pub fn starts_with(&self, part: impl Into<Operand>) -> Self {
        self.call("startswith", part)
    }

    /// Whether this text ends with `part`.
    pub fn ends_with(&self, part: impl Into<Operand>) -> Self {
        self.call("endswith", part)
    }

    /// Whether this is one of `others`.
    pub fn is_in<T: Into<Operand>>(&self, others: impl IntoIterator<Item = T>) -> Self {
        let others = others.into_iter().map(|other| {
            let Operand(jq) = other.into();
            format!("{} == {}", self.0.operand(), jq.operand())
        });
        let any = others.collect::<Vec<_>>().join(" or ");
        Self(Jq::other(if any.is_empty() {
            "false".to_owned()
        } else {
            any
        }))
    }

    /// Whether both hold.
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.binary("and", &other.0))
    }

    /// Whether at least one holds.
    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.binary("or", &other.0))
    }

    /// Whether this does not hold.
    pub fn not(&self) -> Self {
        self.pipe("not")
    }

    fn compare(&self, operator: &str, other: impl Into<Operand>) -> Self {
        Self(self.0.binary(operator, &other.into().0))
    }

    fn call(&self, function: &str, argument: impl Into<Operand>) -> Self {
        self.pipe(&format!("{function}({})", argument.into().0.code()))
    }
}

impl From<Jq> for Expression {
    fn from(jq: Jq) -> Self {
        Self(jq)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expression().fmt(f)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}

impl From<&Expression> for String {
    fn from(expression: &Expression) -> Self {
        expression.to_string()
    }
}

impl From<Expression> for Value {
    fn from(expression: Expression) -> Self {
        Self::String(expression.to_string())
    }
}

impl From<&Expression> for Value {
    fn from(expression: &Expression) -> Self {
        Self::String(expression.to_string())
    }
}

/// What an expression is compared with: a fixed value, another expression, or a context variable.
#[derive(Clone, Debug)]
pub struct Operand(Jq);

impl From<Expression> for Operand {
    fn from(expression: Expression) -> Self {
        Self(expression.0)
    }
}

impl From<&Expression> for Operand {
    fn from(expression: &Expression) -> Self {
        Self(expression.0.clone())
    }
}

impl<T> From<&Ref<T>> for Operand {
    fn from(reference: &Ref<T>) -> Self {
        Self(reference.jq.clone())
    }
}

macro_rules! literals {
    ($($literal:ty),*) => {$(
        impl From<$literal> for Operand {
            fn from(value: $literal) -> Self {
                Self(Jq::literal(&Value::from(value)))
            }
        }
    )*};
}

literals!(&str, String, i32, i64, f64, bool);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    fn status() -> Expression {
        Expression::from(Jq::term("$context[\"t\"]")).field("f")
    }

    #[test]
    fn a_condition_stands_inside_its_braces() {
        for (condition, text) in [
            (status().equals(200), r#"${ $context["t"].f == 200 }"#),
            (
                status().not_equals("a\"b"),
                r#"${ $context["t"].f != "a\"b" }"#,
            ),
            (status().greater_than(-1), r#"${ $context["t"].f > (-1) }"#),
            (
                status().greater_than_or_equal(1),
                r#"${ $context["t"].f >= 1 }"#,
            ),
            (status().less_than(1.5), r#"${ $context["t"].f < 1.5 }"#),
            (
                status().less_than_or_equal(1),
                r#"${ $context["t"].f <= 1 }"#,
            ),
            (status().equals(true), r#"${ $context["t"].f == true }"#),
            (
                status().contains("fix"),
                r#"${ $context["t"].f | contains("fix") }"#,
            ),
            (
                status().starts_with("feat:"),
                r#"${ $context["t"].f | startswith("feat:") }"#,
            ),
            (
                status().ends_with("."),
                r#"${ $context["t"].f | endswith(".") }"#,
            ),
            (
                status().is_in(["a", "b"]),
                r#"${ $context["t"].f == "a" or $context["t"].f == "b" }"#,
            ),
        ] {
            assert_eq!(condition.to_string(), text);
        }
    }

    #[test]
    fn conditions_are_joined_with_parentheses() {
        let (a, b) = (status().equals(1), status().contains("x"));
        assert_eq!(
            a.and(&b.not()).to_string(),
            r#"${ ($context["t"].f == 1) and (($context["t"].f | contains("x")) | not) }"#
        );
    }

    #[test]
    fn a_context_variable_can_be_compared_with() {
        let limit = Context::new().set_int("limit", 3);
        assert_eq!(
            status()
                .item(0)
                .pipe("length")
                .greater_than(&limit)
                .to_string(),
            r#"${ ($context["t"].f[0] | length) > $context.limit }"#
        );
        assert_eq!(format!("#{}!", status()), "#${ $context[\"t\"].f }!");
    }
}
