//! Pieces of jq, and how they are put together without changing what they mean.

use serde_json::Value;

/// Code of jq, without `${ }` around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jq {
    code: String,
    shape: Shape,
}

/// How tightly the parts of a piece hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A path or a literal: fits anywhere.
    Term,
    /// `a + b`: more can be added on its right.
    Sum,
    /// Anything else, which goes into parentheses.
    Other,
}

impl Jq {
    /// A path such as `$context.region`.
    pub(crate) fn term(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            shape: Shape::Term,
        }
    }

    /// Code of any shape.
    pub(crate) fn other(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            shape: Shape::Other,
        }
    }

    /// A fixed value; JSON is jq.
    pub(crate) fn literal(value: &Value) -> Self {
        let negative = value.as_f64().is_some_and(f64::is_sign_negative);
        Self {
            code: value.to_string(),
            shape: if negative { Shape::Other } else { Shape::Term },
        }
    }

    /// The member `key` of an object.
    pub(crate) fn member(&self, key: &str) -> Self {
        Self::term(format!("{}{}", self.operand(), path(key)))
    }

    /// The item at `index` of a list, counted from 0.
    pub(crate) fn item(&self, index: usize) -> Self {
        Self::term(format!("{}[{index}]", self.operand()))
    }

    /// `self + other`.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let left = match self.shape {
            Shape::Sum => self.code.clone(),
            Shape::Term | Shape::Other => self.operand(),
        };
        Self {
            code: format!("{left} + {}", other.operand()),
            shape: Shape::Sum,
        }
    }

    /// `self operator other`.
    pub(crate) fn binary(&self, operator: &str, other: &Self) -> Self {
        Self::other(format!("{} {operator} {}", self.operand(), other.operand()))
    }

    /// `self | filter`.
    pub(crate) fn pipe(&self, filter: &str) -> Self {
        Self::other(format!("{} | {filter}", self.operand()))
    }

    /// The code as a part of other code.
    pub(crate) fn operand(&self) -> String {
        match self.shape {
            Shape::Term => self.code.clone(),
            Shape::Sum | Shape::Other => format!("({})", self.code),
        }
    }

    /// The code as it stands.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The code in the braces that texts of a task take.
    pub(crate) fn expression(&self) -> String {
        format!("${{ {} }}", self.code)
    }
}

/// `.key`, or `["key"]` when jq would not take the key bare.
pub(crate) fn path(key: &str) -> String {
    let bare = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if bare {
        format!(".{key}")
    } else {
        quoted_path(key)
    }
}

/// `["key"]`.
pub(crate) fn quoted_path(key: &str) -> String {
    format!("[{}]", Value::from(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_hold_together_gets_parentheses() {
        let (a, b) = (Jq::term(".a"), Jq::term(".b"));
        let sum = a.plus(&b);
        assert_eq!(sum.plus(&a).code(), ".a + .b + .a");
        assert_eq!(a.plus(&sum).code(), ".a + (.a + .b)");
        assert_eq!(sum.binary("*", &a).code(), "(.a + .b) * .a");
        assert_eq!(
            sum.pipe("length").member("x").code(),
            "((.a + .b) | length).x"
        );
        let negative = Jq::literal(&json!(-1));
        assert_eq!(a.binary("-", &negative).code(), ".a - (-1)");
    }

    #[test]
    fn keys_are_bare_only_where_jq_takes_them() {
        assert_eq!(Jq::term("$x").member("a_1").code(), "$x.a_1");
        assert_eq!(path("a-b"), "[\"a-b\"]");
        assert_eq!(path("1a"), "[\"1a\"]");
        assert_eq!(Jq::term("$x").item(2).code(), "$x[2]");
    }
}
