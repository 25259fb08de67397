//! Durations as the DSL writes them: an object of units, or ISO 8601 text.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Units")]
pub struct Span(pub Duration);

impl Span {
    /// So many whole seconds.
    pub fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Units(Units),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    #[serde(default, skip_serializing_if = "is_zero")]
    days: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    hours: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    minutes: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    seconds: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    milliseconds: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TryFrom<Form> for Span {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        match form {
            Form::Text(text) => text
                .parse::<SignedDuration>()
                .ok()
                .and_then(|span| Duration::try_from(span).ok())
                .map(Self)
                .ok_or_else(|| format!("{text:?} is not an ISO 8601 duration such as PT30S")),
            Form::Units(units) => {
                let minutes = units
                    .days
                    .checked_mul(24)
                    .and_then(|h| h.checked_add(units.hours)?.checked_mul(60));
                let seconds = minutes.and_then(|m| m.checked_add(units.minutes)?.checked_mul(60));
                let millis = seconds.and_then(|s| s.checked_add(units.seconds)?.checked_mul(1000));
                let millis = millis.and_then(|m| m.checked_add(units.milliseconds));
                millis
                    .map(|millis| Self(Duration::from_millis(millis)))
                    .ok_or_else(|| "the duration is too long".to_owned())
            }
        }
    }
}

impl From<Span> for Units {
    fn from(Span(duration): Span) -> Self {
        Self {
            seconds: duration.as_secs(),
            milliseconds: u64::from(duration.subsec_millis()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn units_and_iso_text_mean_the_same() {
        for (form, millis) in [
            (json!({"seconds": 5}), 5_000),
            (
                json!({"days": 1, "hours": 1, "minutes": 1, "milliseconds": 7}),
                90_060_007,
            ),
            (json!("PT1M30S"), 90_000),
        ] {
            let Span(duration) = serde_json::from_value(form.clone()).unwrap();
            assert_eq!(duration.as_millis(), millis, "{form}");
        }
        assert_eq!(
            serde_json::to_value(Span::seconds(61)).unwrap(),
            json!({"seconds": 61})
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for form in [
            json!("soon"),
            json!({"weeks": 1}),
            json!("-PT1S"),
            json!({"days": u64::MAX}),
            json!(5),
        ] {
            assert!(
                serde_json::from_value::<Span>(form.clone()).is_err(),
                "{form}"
            );
        }
    }
}
