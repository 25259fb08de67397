//! Values computed from other values: known now, and by the same rule at run time.

use serde_json::Value;

use crate::{BoolRef, IntRef, Part, StringRef, ValidationError, jq::Jq, value::Ref};

impl StringRef {
    /// This text followed by `parts`; secret when any of them is.
    ///
    /// ```
    /// # let ctx = stigmer::Context::new();
    /// let host = ctx.set_string("host", "example.com");
    /// let url = ctx.set_string("scheme", "https://").concat([(&host).into(), "/icons".into()]);
    /// assert_eq!(url.value(), "https://example.com/icons");
    /// ```
    pub fn concat<'a>(&self, parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        parts.into_iter().fold(self.clone(), |so_far, part| {
            let (value, jq, is_secret) = match part {
                Part::Text(text) => (text, Jq::literal(&Value::from(text)), false),
                Part::Ref(r) => (r.value.as_str(), r.jq.clone(), r.is_secret),
            };
            Self {
                value: so_far.value + value,
                jq: so_far.jq.plus(&jq),
                is_secret: so_far.is_secret || is_secret,
            }
        })
    }

    /// This text followed by one more.
    pub fn append<'a>(&self, part: impl Into<Part<'a>>) -> Self {
        self.concat([part.into()])
    }

    /// One more text followed by this one.
    pub fn prepend<'a>(&self, part: impl Into<Part<'a>>) -> Self {
        let first = match part.into() {
            Part::Text(text) => Ref::literal(text.to_owned()),
            Part::Ref(reference) => reference.clone(),
        };
        first.append(self)
    }

    /// This text with the letters `a` to `z` in upper case.
    pub fn upper(&self) -> Self {
        self.filtered(self.value.to_ascii_uppercase(), "ascii_upcase")
    }

    /// This text with the letters `A` to `Z` in lower case.
    pub fn lower(&self) -> Self {
        self.filtered(self.value.to_ascii_lowercase(), "ascii_downcase")
    }

    fn filtered(&self, value: String, filter: &str) -> Self {
        Self {
            value,
            jq: self.jq.pipe(filter),
            is_secret: self.is_secret,
        }
    }
}

impl IntRef {
    /// The sum.
    ///
    /// # Errors
    ///
    /// When it does not fit 64 bits.
    pub fn add(&self, other: impl Into<Self>) -> Result<Self, ValidationError> {
        let other = other.into();
        let jq = self.jq.plus(&other.jq);
        self.computed(&other, self.value.checked_add(other.value), jq, '+')
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// When it does not fit 64 bits.
    pub fn subtract(&self, other: impl Into<Self>) -> Result<Self, ValidationError> {
        let other = other.into();
        let jq = self.jq.binary("-", &other.jq);
        self.computed(&other, self.value.checked_sub(other.value), jq, '-')
    }

    /// The product.
    ///
    /// # Errors
    ///
    /// When it does not fit 64 bits.
    pub fn multiply(&self, other: impl Into<Self>) -> Result<Self, ValidationError> {
        let other = other.into();
        let jq = self.jq.binary("*", &other.jq);
        self.computed(&other, self.value.checked_mul(other.value), jq, '*')
    }

    /// The quotient without its fraction.
    ///
    /// # Errors
    ///
    /// When `other` is 0, or the quotient does not fit 64 bits.
    pub fn divide(&self, other: impl Into<Self>) -> Result<Self, ValidationError> {
        let other = other.into();
        let jq = self
            .jq
            .binary("/", &other.jq)
            .pipe("if . < 0 then ceil else floor end");
        self.computed(&other, self.value.checked_div(other.value), jq, '/')
    }

    fn computed(
        &self,
        other: &Self,
        value: Option<i64>,
        jq: Jq,
        operator: char,
    ) -> Result<Self, ValidationError> {
        let value = value.ok_or(ValidationError::Arithmetic {
            left: self.value,
            operator,
            right: other.value,
        })?;
        Ok(Self {
            value,
            jq,
            is_secret: self.is_secret || other.is_secret,
        })
    }
}

impl BoolRef {
    /// Whether both hold.
    pub fn and(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.joined(&other, self.value && other.value, "and")
    }

    /// Whether at least one holds.
    pub fn or(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.joined(&other, self.value || other.value, "or")
    }

    /// Whether this does not hold.
    pub fn not(&self) -> Self {
        Self {
            value: !self.value,
            jq: self.jq.pipe("not"),
            is_secret: self.is_secret,
        }
    }

    fn joined(&self, other: &Self, value: bool, operator: &str) -> Self {
        Self {
            value,
            jq: self.jq.binary(operator, &other.jq),
            is_secret: self.is_secret || other.is_secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Context;

    #[test]
    fn texts_change_now_and_at_run_time() {
        let ctx = Context::new();
        let name = ctx.set_string("name", "Ada");
        let greeting = name.upper().prepend("Hello ").append("!");
        assert_eq!(greeting.value(), "Hello ADA!");
        assert_eq!(
            greeting.expression(),
            r#"${ "Hello " + ($context.name | ascii_upcase) + "!" }"#
        );
        assert_eq!(name.lower().value(), "ada");
    }

    #[test]
    fn numbers_are_computed_and_never_wrap() {
        let ctx = Context::new();
        let n = ctx.set_int("n", 7);
        let half = n.add(1).unwrap().divide(2).unwrap();
        assert_eq!(
            (half.value(), half.expression().as_str()),
            (
                &4,
                "${ (($context.n + 1) / 2) | if . < 0 then ceil else floor end }"
            )
        );
        assert_eq!(n.subtract(&n).unwrap().value(), &0);
        assert_eq!(
            n.multiply(-2).unwrap().expression(),
            "${ $context.n * (-2) }"
        );
        assert_eq!(
            n.divide(0).unwrap_err().to_string(),
            "7 / 0 is not a 64-bit number"
        );
        assert!(n.multiply(i64::MAX).is_err());
    }

    #[test]
    fn truths_are_joined_and_secrets_stay_secret() {
        let ctx = Context::new();
        let (on, off) = (ctx.set_bool("on", true), ctx.set_bool("off", false));
        let both = on.and(off.not());
        assert_eq!(
            (both.value(), both.expression().as_str()),
            (&true, "${ $context.on and ($context.off | not) }")
        );
        assert_eq!(off.or(false).value(), &false);
        let token = ctx.set_secret("token", "hush");
        assert!(token.upper().is_secret() && token.prepend("Bearer ").is_secret());
    }
}
