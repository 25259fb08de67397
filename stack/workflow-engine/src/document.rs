//! The document that travels as `WorkflowYaml`: a workflow in YAML. JSON is read as well, being YAML.

use super::model::Workflow;

/// The document does not describe a workflow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Failed to parse YAML: {0}")]
pub struct DocumentError(pub String);

/// The workflow as YAML.
///
/// # Errors
///
/// When YAML has no form for a value, such as a number that is not finite.
pub fn write(workflow: &Workflow) -> Result<String, DocumentError> {
    serde_saphyr::to_string(workflow).map_err(|e| DocumentError(e.to_string()))
}

/// The workflow that the document describes.
pub fn read(document: &str) -> Result<Workflow, DocumentError> {
    let json = serde_saphyr::from_str::<serde_json::Value>(document)
        .map_err(|e| DocumentError(first_line(&e.to_string())))?;
    let workflow: Workflow =
        serde_json::from_value(json).map_err(|e| DocumentError(e.to_string()))?;
    check_version(&workflow.document.dsl)?;
    Ok(workflow)
}

/// Checks that `dsl` is a version this engine reads: `>=1.0.0,<2.0.0`.
pub fn check_version(dsl: &str) -> Result<(), DocumentError> {
    let numbers = dsl
        .split('.')
        .map(str::parse::<u32>)
        .collect::<Result<Vec<_>, _>>();
    match numbers.as_deref() {
        Ok([1, _, _]) => Ok(()),
        Ok([_, _, _]) => Err(DocumentError(format!("unsupported DSL version: {dsl}"))),
        _ => Err(DocumentError(format!(
            "unsupported DSL version: {dsl}: error creating semver version: not MAJOR.MINOR.PATCH"
        ))),
    }
}

/// The parser points at the place with a drawing below the message.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One task of every form, as the DSL writes it.
    fn everything() -> serde_json::Value {
        json!({
            "document": {"dsl": "1.0.0", "namespace": "n", "name": "yes", "version": "1.0", "description": "multi\nline: # text"},
            "do": [
                {"set": {"set": {"a": "${ .b }", "n": "5", "empty": "", "tilde": "~"}, "if": "${ true }", "output": {"as": "${ . }"}}},
                {"http": {"call": "http", "with": {"method": "GET", "endpoint": {"uri": "http://x"}, "headers": {"A": "no"},
                    "query": {"q": "1"}, "body": {"x": [1, null]}, "output": "response", "redirect": true},
                    "timeout": {"after": {"seconds": 30}}, "then": "grpc"}},
                {"grpc": {"call": "grpc", "with": {"service": {"name": "a.B", "host": "h", "port": 1}, "method": "C", "arguments": {}}}},
                {"activity": {"call": "activity", "with": {"name": "a", "taskQueue": "q", "arguments": [1]}}},
                {"agent": {"call": "agent", "with": {"agent": "a", "message": "m", "scope": "platform", "env": {"K": "v"},
                    "config": {"model": "m", "timeout": 5, "temperature": 0.0}}, "export": {"as": "${.}"}}},
                {"switch": {"switch": [{"one": {"when": "${ .x }", "then": "end"}}, {"default": {"then": "continue"}}]}},
                {"for": {"for": {"each": "c", "in": "${ .l }", "at": "i"}, "while": "${ true }", "do": [{"w": {"wait": {"seconds": 1}}}]}},
                {"fork": {"fork": {"branches": [{"a": {"do": [{"w1": {"wait": {"seconds": 1}}}]}}], "compete": true}}},
                {"try": {"try": [{"w2": {"wait": {"seconds": 1}}}], "catch": {"errors": {"with": {"type": "t"}}, "as": "e",
                    "when": "${ true }", "exceptWhen": "${ false }", "retry": {"delay": {"seconds": 1}, "backoff": {"exponential": {}},
                    "limit": {"attempt": {"count": 5}}}, "do": [{"w3": {"wait": {"milliseconds": 5}}}]}}},
                {"listen": {"listen": {"to": {"all": [{"with": {"id": "s", "type": "signal"}}]}}}},
                {"raise": {"raise": {"error": {"type": "t", "status": 400, "title": "T", "detail": "d"}}}},
                {"run": {"run": {"workflow": {"name": "other", "input": {"a": 1}}, "await": true}}}
            ]
        })
    }

    #[test]
    fn every_form_survives_the_way_through_yaml() {
        let workflow: Workflow = serde_json::from_value(everything()).unwrap();
        let yaml = write(&workflow).unwrap();
        assert!(yaml.starts_with("document:\n"), "{yaml}");
        assert_eq!(
            read(&yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}")),
            workflow,
            "{yaml}"
        );
        assert_eq!(serde_json::to_value(&workflow).unwrap(), everything());
        assert_eq!(read(&everything().to_string()).unwrap(), workflow);
    }

    #[test]
    fn a_bad_document_says_where_and_what() {
        for (change, expected) in [
            (("/do/0/set/set", json!("text")), "set: set: invalid type"),
            (
                ("/do/0/set/unknown", json!(1)),
                "set: unknown field unknown",
            ),
            (
                ("/do/5/switch/switch/0/one/then", json!(7)),
                "one: invalid type",
            ),
            (
                ("/do/8/try/catch/retry/limit/attempt/count", json!("x")),
                "try: catch: invalid type",
            ),
            (
                ("/do/1/http/call", json!("ftp")),
                "http: call: unknown variant `ftp`",
            ),
            (
                ("/do/7/fork/fork/branches/0/a/do/0/w1", json!({})),
                "fork: fork: a: w1: a task has exactly one of set,",
            ),
            (
                ("/document/dsl", json!("2.0.0")),
                "unsupported DSL version: 2.0.0",
            ),
            (
                ("/document/dsl", json!("one")),
                "error creating semver version",
            ),
        ] {
            let mut document = everything();
            let (pointer, value) = change;
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[key] = value;
            let error = read(&document.to_string()).unwrap_err().to_string();
            assert!(
                error.starts_with("Failed to parse YAML: ") && error.contains(expected),
                "{pointer}: {error}"
            );
        }
        assert!(
            read("a: [")
                .unwrap_err()
                .to_string()
                .starts_with("Failed to parse YAML: ")
        );
    }
}
