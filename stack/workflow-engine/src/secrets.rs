//! The environment of an execution, and how its secrets stay out of the workflow's state.
//!
//! Inside the workflow a secret is a marker: a text that only this execution knows. Whatever is
//! made from it carries the marker along; activities put the value in its place just before they
//! call out, and the marker back where an answer repeats the value. Records show the placeholder
//! that authors write. A text from outside that looks like a placeholder is not one, since it
//! cannot know the marker.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// The shortest secret that is looked for in answers, in bytes. Shorter ones are found in any text.
const MIN_CONCEALED: usize = 8;

/// The shortest secret that is cut out of error texts, in bytes.
const MIN_MASKED: usize = 3;

/// What stands in error texts where a secret was.
const MASK: &str = "***";

/// A variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its value.
    pub value: String,
    /// Whether it must not be shown.
    #[serde(default)]
    pub is_secret: bool,
}

/// The environment of one execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The variables, by name.
    #[serde(default)]
    pub entries: BTreeMap<String, Entry>,
    /// The org of the execution.
    #[serde(default, rename = "__stigmer_org_id")]
    pub org: String,
    /// What makes the markers of this execution unlike any other's.
    #[serde(rename = "__stigmer_secret_marker")]
    pub marker: String,
}

impl Environment {
    /// An environment without variables.
    pub fn none() -> Self {
        Self {
            entries: BTreeMap::new(),
            org: String::new(),
            marker: String::new(),
        }
    }

    fn marker(&self, key: &str) -> String {
        format!("{}{key}}}}}", self.opening())
    }

    fn opening(&self) -> String {
        format!("{{{{secret:{}:", self.marker)
    }

    /// What the workflow sees of a variable: its value, or the marker of a secret.
    fn seen(&self, key: &str, entry: &Entry) -> String {
        if entry.is_secret {
            self.marker(key)
        } else {
            entry.value.clone()
        }
    }

    /// The values of `${.secrets.KEY}` and `${.env_vars.KEY}` in the workflow, by key.
    pub fn placeholders(&self) -> BTreeMap<String, String> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.clone(), self.seen(key, entry)))
            .collect()
    }

    /// `$env` in the workflow: `{KEY: {value, is_secret}, "__stigmer_org_id": …}`.
    pub fn as_variable(&self) -> Json {
        let entries = self.entries.iter().map(|(key, entry)| {
            (
                key.clone(),
                json!({"value": self.seen(key, entry), "is_secret": entry.is_secret}),
            )
        });
        let mut fields = entries.collect::<Map<_, _>>();
        fields.insert("__stigmer_org_id".to_owned(), json!(self.org));
        Json::Object(fields)
    }

    /// `json` with the values in place of the markers, for what leaves the stack.
    pub fn reveal(&self, json: &Json) -> Json {
        self.replace_markers(json, |key| {
            self.entries.get(key).map(|entry| entry.value.clone())
        })
    }

    /// As [`Environment::reveal`], of a text.
    pub fn reveal_text(&self, text: &str) -> String {
        self.replace_in_text(text, &|key| {
            self.entries.get(key).map(|entry| entry.value.clone())
        })
    }

    /// `json` with the placeholders that authors write in place of the markers, for records.
    pub fn publish(&self, json: &Json) -> Json {
        self.replace_markers(json, |key| Some(format!("${{.secrets.{key}}}")))
    }

    /// As [`Environment::publish`], of a text.
    pub fn publish_text(&self, text: &str) -> String {
        self.replace_in_text(text, &|key| Some(format!("${{.secrets.{key}}}")))
    }

    /// `json` with the markers in place of the values, for answers that repeat them.
    pub fn conceal(&self, json: &Json) -> Json {
        let secrets = self.secrets(MIN_CONCEALED);
        if secrets.is_empty() {
            return json.clone();
        }
        map_texts(json, &|text| {
            secrets.iter().fold(text.to_owned(), |text, (key, value)| {
                text.replace(value, &self.marker(key))
            })
        })
    }

    /// `text` without any secret, for errors and logs.
    pub fn mask(&self, text: &str) -> String {
        let published = self.publish_text(text);
        self.secrets(MIN_MASKED)
            .iter()
            .fold(published, |text, (_, value)| text.replace(value, MASK))
    }

    /// The secrets of at least `shortest` bytes, the longest first: one may be part of another.
    fn secrets(&self, shortest: usize) -> Vec<(&str, &str)> {
        let secrets = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.is_secret && entry.value.len() >= shortest);
        let mut secrets = secrets
            .map(|(key, entry)| (key.as_str(), entry.value.as_str()))
            .collect::<Vec<_>>();
        secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        secrets
    }

    fn replace_markers(&self, json: &Json, with: impl Fn(&str) -> Option<String>) -> Json {
        map_texts(json, &|text| self.replace_in_text(text, &with))
    }

    fn replace_in_text(&self, text: &str, with: &dyn Fn(&str) -> Option<String>) -> String {
        let opening = self.opening();
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(&opening) {
            let (before, marked) = rest.split_at(start);
            let inside = &marked[opening.len()..];
            let found = inside
                .split_once("}}")
                .and_then(|(key, after)| Some((with(key)?, after)));
            replaced.push_str(before);
            match found {
                Some((value, after)) => {
                    replaced.push_str(&value);
                    rest = after;
                }
                None => {
                    replaced.push_str(&opening);
                    rest = inside;
                }
            }
        }
        replaced.push_str(rest);
        replaced
    }
}

/// `json` with every text, names of fields included, changed by `change`.
fn map_texts(json: &Json, change: &dyn Fn(&str) -> String) -> Json {
    match json {
        Json::String(text) => Json::String(change(text)),
        Json::Array(items) => items.iter().map(|item| map_texts(item, change)).collect(),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (change(name), map_texts(value, change)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn environment() -> Environment {
        let entry = |value: &str, is_secret| Entry {
            value: value.to_owned(),
            is_secret,
        };
        Environment {
            entries: BTreeMap::from([
                ("REGION".to_owned(), entry("eu-1", false)),
                ("TOKEN".to_owned(), entry("tok-12345678", true)),
                ("PIN".to_owned(), entry("1234", true)),
                ("EMPTY".to_owned(), entry("", true)),
            ]),
            org: "local".to_owned(),
            marker: "0123456789abcdef".to_owned(),
        }
    }

    #[test]
    fn the_workflow_sees_values_but_only_markers_of_secrets() {
        let environment = environment();
        let seen = format!(
            "{:?} {}",
            environment.placeholders(),
            environment.as_variable()
        );
        assert!(
            seen.contains("eu-1") && !seen.contains("tok-12345678") && !seen.contains("1234\""),
            "{seen}"
        );
    }

    #[test]
    fn what_is_made_from_a_marker_can_be_revealed_and_published() {
        let environment = environment();
        let marker = &environment.placeholders()["TOKEN"];
        let made = json!({"auth": format!("Bearer {marker}!"), marker.as_str(): [marker, 5]});
        assert_eq!(
            environment.reveal(&made),
            json!({"auth": "Bearer tok-12345678!", "tok-12345678": ["tok-12345678", 5]})
        );
        let published = environment.publish(&made);
        assert_eq!(published["auth"], json!("Bearer ${.secrets.TOKEN}!"));
    }

    #[test]
    fn an_answer_that_repeats_a_secret_is_concealed_and_can_be_sent_on() {
        let environment = environment();
        let answer = json!({"echo": "got tok-12345678 1234", "tok-12345678": 1});
        let concealed = environment.conceal(&answer);
        assert!(
            !concealed.to_string().contains("tok-12345678"),
            "{concealed}"
        );
        assert_eq!(environment.reveal(&concealed), answer);
    }

    #[test]
    fn errors_show_neither_secrets_nor_markers() {
        let environment = environment();
        let marker = environment.placeholders()["TOKEN"].clone();
        let masked = environment.mask(&format!("401 for tok-12345678, pin 1234, {marker}, eu-1"));
        assert_eq!(masked, "401 for ***, pin ***, ${.secrets.TOKEN}, eu-1");
    }

    #[test]
    fn a_text_from_outside_that_looks_like_a_marker_stays_as_it_is() {
        let environment = environment();
        for text in [
            "${.secrets.TOKEN}",
            "{{secret:ffff:TOKEN}}",
            "{{secret:0123456789abcdef:TOKEN",
            "{{secret:0123456789abcdef:NONE}}",
        ] {
            assert_eq!(environment.reveal_text(text), text);
        }
    }
}
