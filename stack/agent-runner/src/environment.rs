//! The variables of an execution: who may see what of them.
//!
//! The server has merged them before the execution got here. Programs that serve the agent's tools
//! get the values that their definition names; the model reads names, and the values of those that
//! are no secrets.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value};
use stigmer_api::execution_context::ExecutionValue;

/// The shortest secret that is cut out of texts, in bytes: shorter ones are part of any text.
const SHORTEST: usize = 3;

/// What stands where a secret was.
const MASK: &str = "***";

/// The longest value that the model reads, in characters.
const LONGEST_SHOWN: usize = 200;

/// The variables of one execution, by name.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, ExecutionValue>,
    /// The forms in which a secret may turn up in a text, the longest first.
    secrets: Vec<String>,
}

impl Environment {
    /// The variables of `runtime_env`.
    pub fn new<'a>(
        runtime_env: impl IntoIterator<Item = (&'a String, &'a ExecutionValue)>,
    ) -> Self {
        let variables = runtime_env
            .into_iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<BTreeMap<_, _>>();
        let mut secrets = variables
            .values()
            .filter(|variable| variable.is_secret && variable.value.len() >= SHORTEST)
            .flat_map(|variable| forms(&variable.value))
            .collect::<Vec<_>>();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { variables, secrets }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|v| v.value.as_str())
    }

    /// `text` without the values of secrets.
    pub fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), MASK)
            } else {
                text
            }
        })
    }

    /// `object` without the values of secrets in its texts.
    pub fn mask_object(&self, object: &Map<String, Value>) -> Map<String, Value> {
        let json = Value::from(object.clone()).to_string();
        let masked = self.mask(&json);
        if masked == json {
            return object.clone();
        }
        // A secret that is part of JSON's own syntax leaves nothing to be read.
        serde_json::from_str(&masked).unwrap_or_default()
    }

    /// What the model may know, as a section of its instructions; nothing without variables.
    pub fn section(&self) -> Option<String> {
        if self.variables.is_empty() {
            return None;
        }
        let mut section =
            "## Environment\n\nVariables of this execution. Tools have the values of secrets; you do not.\n"
                .to_owned();
        for (name, variable) in &self.variables {
            let shown = match variable.is_secret {
                true => "(secret)".to_owned(),
                false => one_line(&self.mask(&variable.value)),
            };
            // Writing to a String cannot fail.
            let _ = write!(section, "\n- {name}: {shown}");
        }
        Some(section)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// A secret as it is, as JSON writes it, and as a URL does.
fn forms(secret: &str) -> [String; 3] {
    let json = Value::from(secret).to_string();
    let url = reqwest::Url::parse_with_params("http://x/", [("", secret)])
        .map(|url| url.query().unwrap_or_default()[1..].to_owned())
        .unwrap_or_else(|_| secret.to_owned());
    [secret.to_owned(), json[1..json.len() - 1].to_owned(), url]
}

fn one_line(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An environment of `(name, value, is it a secret)`.
    pub(crate) fn environment(variables: &[(&str, &str, bool)]) -> Environment {
        let variables = variables.iter().map(|(name, value, is_secret)| {
            let value = ExecutionValue {
                value: (*value).to_owned(),
                is_secret: *is_secret,
            };
            ((*name).to_owned(), value)
        });
        Environment::new(&variables.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn the_model_reads_names_and_plain_values_and_no_secret() {
        let environment = environment(&[
            ("REGION", "eu\nwest", false),
            ("TOKEN", "tok-123", true),
            ("URL", "http://host/?key=tok-123", false),
        ]);
        let section = environment.section().unwrap();
        assert!(
            section
                .ends_with("\n- REGION: eu west\n- TOKEN: (secret)\n- URL: http://host/?key=***"),
            "{section}"
        );
        assert_eq!(Environment::default().section(), None);
    }

    #[test]
    fn a_secret_is_masked_in_every_form_a_text_may_give_it() {
        let environment = environment(&[("TOKEN", "a \"b\"/c", true), ("SHORT", "ab", true)]);
        assert_eq!(
            environment.mask(r#"as is: a "b"/c; JSON: a \"b\"/c; URL: a+%22b%22%2Fc; ab"#),
            "as is: ***; JSON: ***; URL: ***; ab"
        );
    }

    #[test]
    fn a_secret_in_a_schema_is_masked() {
        let environment = environment(&[("TOKEN", "a \"b\"", true)]);
        let schema = |default: &str| Map::from_iter([("default".to_owned(), Value::from(default))]);
        assert_eq!(
            environment.mask_object(&schema("is a \"b\"")),
            schema("is ***")
        );
        assert_eq!(environment.mask_object(&schema("fine")), schema("fine"));
    }

    #[test]
    fn debugging_shows_names_only() {
        let environment = environment(&[("TOKEN", "tok-123", true)]);
        assert_eq!(format!("{environment:?}"), r#"{"TOKEN"}"#);
    }
}
