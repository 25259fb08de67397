//! Expressions: whatever an author writes, and whatever data it meets, there is a value or an error,
//! the same one each time, and soon.
//!
//! The first line of the input is the data, in JSON; the rest is a text with expressions in it.

#![no_main]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Value as Json, json};
use stigmer_workflow_engine::expression::{
    ExpressionError, Scope, Shared, Surroundings, Variables, references, warm_up,
};

/// What one evaluation may take at most, optimised as it is here.
const LIMIT: Duration = Duration::from_secs(10);

fuzz_target!(init: warm_up(), |input: &str| -> Corpus {
    let Some((data, text)) = input.split_once('\n') else {
        return Corpus::Reject;
    };
    let Ok(Json::Object(data)) = serde_json::from_str(data) else {
        return Corpus::Reject;
    };
    let data = data
        .into_iter()
        .map(|(name, value)| (name, Arc::new(value)))
        .collect::<Shared>();
    // Whether it is an expression or not, it is looked at without a panic.
    let _ = references(text);

    let first = resolve(&data, text);
    assert_eq!(first, resolve(&data, text), "two evaluations differ");
    if is_path(text) {
        let jq = resolve(&data, &format!("${{({text})}}"));
        let path = resolve(&data, &format!("${{{text}}}"));
        assert_eq!(path.is_ok(), jq.is_ok(), "{path:?} {jq:?}");
        if let (Ok(path), Ok(jq)) = (path, jq) {
            assert_eq!(path, jq, "a path is not what jq means by it");
        }
    }
    Corpus::Keep
});

fn resolve(data: &Shared, text: &str) -> Result<Json, ExpressionError> {
    let begin = Instant::now();
    let placeholders = BTreeMap::from([("TOKEN".to_owned(), "marker".to_owned())]);
    let variables = Variables {
        data,
        context: data,
        env: &json!({"REGION": {"value": "eu", "is_secret": false}}),
        placeholders: &placeholders,
        input: &json!({"message": "go"}),
        output: &json!([1, {"a": null}]),
        subject: None,
    };
    let surroundings = Surroundings {
        now: 1_700_000_000.5,
        seed: 42,
    };
    let resolved = Scope::new(variables, surroundings).resolve(&json!(text));
    assert!(begin.elapsed() < LIMIT, "took {:?}", begin.elapsed());
    resolved
}

/// Whether `text` is made of what paths are made of, so that parentheses around it change nothing.
fn is_path(text: &str) -> bool {
    text.starts_with(['.', '$'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.$[]".contains(&byte))
}
