//! Typed values that a program names once and uses in several resources.

use std::fmt;

use serde_json::{Map, Value};

use crate::jq::{Jq, path};

/// A named value: known now, and readable at run time by an expression.
#[derive(Clone, PartialEq)]
pub struct Ref<T> {
    pub(crate) value: T,
    pub(crate) jq: Jq,
    pub(crate) is_secret: bool,
}

/// A named text.
pub type StringRef = Ref<String>;
/// A named whole number.
pub type IntRef = Ref<i64>;
/// A named truth value.
pub type BoolRef = Ref<bool>;
/// A named object.
pub type ObjectRef = Ref<Map<String, Value>>;

impl<T> Ref<T> {
    pub(crate) fn variable(name: &str, value: T, is_secret: bool) -> Self {
        Self {
            value,
            jq: Jq::term(format!("$context{}", path(name))),
            is_secret,
        }
    }

    /// A fixed value without a name.
    pub(crate) fn literal(value: T) -> Self
    where
        T: Clone + Into<Value>,
    {
        let jq = Jq::literal(&value.clone().into());
        Self {
            value,
            jq,
            is_secret: false,
        }
    }

    /// The value as it is known now.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What reads the value at run time, such as `${ $context.region }`.
    pub fn expression(&self) -> String {
        self.jq.expression()
    }

    /// Whether it must not be shown.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }
}

/// A part of a text, see [`StringRef::concat`].
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A fixed text.
    Text(&'a str),
    /// A named text.
    Ref(&'a StringRef),
}

impl<'a> From<&'a str> for Part<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a StringRef> for Part<'a> {
    fn from(reference: &'a StringRef) -> Self {
        Self::Ref(reference)
    }
}

impl ObjectRef {
    /// The text under `key`, if there is one.
    pub fn field_as_string(&self, key: &str) -> Option<StringRef> {
        self.field(key, |value| value.as_str().map(str::to_owned))
    }

    /// The whole number under `key`, if there is one.
    pub fn field_as_int(&self, key: &str) -> Option<IntRef> {
        self.field(key, Value::as_i64)
    }

    /// The truth value under `key`, if there is one.
    pub fn field_as_bool(&self, key: &str) -> Option<BoolRef> {
        self.field(key, Value::as_bool)
    }

    /// The object under `key`, if there is one.
    pub fn field_as_object(&self, key: &str) -> Option<Self> {
        self.field(key, |value| value.as_object().cloned())
    }

    fn field<U>(&self, key: &str, read: impl Fn(&Value) -> Option<U>) -> Option<Ref<U>> {
        let value = read(self.value.get(key)?)?;
        Some(Ref {
            value,
            jq: self.jq.member(key),
            is_secret: self.is_secret,
        })
    }
}

impl<T: fmt::Display> fmt::Display for Ref<T> {
    /// The value itself, secret or not: printing is how a value gets into a longer text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Ref");
        match self.is_secret {
            true => shown.field("value", &"(secret)"),
            false => shown.field("value", &self.value),
        };
        shown.field("expression", &self.expression()).finish()
    }
}

impl From<StringRef> for String {
    fn from(reference: StringRef) -> Self {
        reference.value
    }
}

impl From<&StringRef> for String {
    fn from(reference: &StringRef) -> Self {
        reference.value.clone()
    }
}

impl<T: Clone> From<&Self> for Ref<T> {
    fn from(reference: &Self) -> Self {
        reference.clone()
    }
}

impl From<i64> for IntRef {
    fn from(value: i64) -> Self {
        Self::literal(value)
    }
}

impl From<bool> for BoolRef {
    fn from(value: bool) -> Self {
        Self::literal(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(name: &str, value: &str) -> StringRef {
        Ref::variable(name, value.to_owned(), false)
    }

    #[test]
    fn a_value_has_an_expression_by_its_name() {
        let region = text("region", "eu-west-1");
        assert_eq!(
            (region.value().as_str(), region.expression().as_str()),
            ("eu-west-1", "${ $context.region }")
        );
        assert_eq!(
            text("my-region", "").expression(),
            "${ $context[\"my-region\"] }"
        );
        assert_eq!(String::from(&region), "eu-west-1");
    }

    #[test]
    fn joining_joins_both_the_values_and_the_expressions() {
        let (scheme, host) = (text("scheme", "https://"), text("host", "example.com"));
        let url = scheme.concat([Part::from(&host), "/a\"b".into()]);
        assert_eq!(url.to_string(), "https://example.com/a\"b");
        assert_eq!(
            url.expression(),
            r#"${ $context.scheme + $context.host + "/a\"b" }"#
        );
    }

    #[test]
    fn fields_have_the_type_that_was_asked_for_or_are_absent() {
        let Value::Object(map) = json!({"name": "x", "size": 3, "on": true, "in": {"b c": "y"}})
        else {
            unreachable!("an object literal")
        };
        let object = Ref::variable("config", map, false);
        assert_eq!(object.field_as_string("name").unwrap().value(), "x");
        assert_eq!(object.field_as_int("size").unwrap().value(), &3);
        assert_eq!(object.field_as_bool("on").unwrap().value(), &true);
        assert_eq!(object.field_as_int("name"), None);
        assert_eq!(object.field_as_string("nope"), None);
        let nested = object
            .field_as_object("in")
            .unwrap()
            .field_as_string("b c")
            .unwrap();
        assert_eq!(nested.expression(), "${ $context.config.in[\"b c\"] }");
    }

    #[test]
    fn secrets_do_not_show_when_debugged_and_stay_secret_when_joined() {
        let token = Ref::variable("token", "hush".to_owned(), true);
        assert!(!format!("{token:?}").contains("hush"));
        let joined = text("a", "Bearer ").concat([Part::from(&token)]);
        assert!(joined.is_secret() && !format!("{joined:?}").contains("hush"));
        assert_eq!(joined.value(), "Bearer hush");
    }
}
