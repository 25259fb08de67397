//! The tools that a model asks for, put together from the pieces of a stream.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::AnswerError;

/// The most tools that one answer may ask for.
const MOST_TOOLS: usize = 64;

/// The longest arguments of one call, in bytes.
const LONGEST_ARGUMENTS: usize = 1024 * 1024;

/// A tool that the model asks for, put together from its pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolRequest {
    /// The model's id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments: a JSON object, unless the model got it wrong.
    pub arguments: String,
}

impl ToolRequest {
    /// The arguments as an object; a call without any has none.
    ///
    /// # Errors
    ///
    /// Says what is wrong with them.
    pub fn parsed_arguments(&self) -> Result<Map<String, Value>, String> {
        if self.arguments.trim().is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_str(&self.arguments) {
            Ok(Value::Object(arguments)) => Ok(arguments),
            Ok(_) => Err("they are JSON, but no object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A piece of a request, as it is streamed.
#[derive(Deserialize)]
pub struct Piece {
    #[serde(default)]
    index: u32,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    /// A piece of a JSON text, or, from some servers, the object itself.
    arguments: Option<Value>,
}

/// The requests of one answer so far, with the index that the server gave each.
#[derive(Debug, Default)]
pub struct ToolRequests(Vec<(u32, ToolRequest)>);

impl ToolRequests {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a piece of a request.
    ///
    /// # Errors
    ///
    /// When the model asks for too much.
    pub fn take(&mut self, piece: Piece) -> Result<(), AnswerError> {
        let id = piece.id.unwrap_or_default();
        // Most servers tell calls apart by index, and name the id in the first piece; some give
        // every call the index 0 and an id of its own.
        let known = self.0.iter().rposition(|(index, request)| {
            *index == piece.index && (id.is_empty() || request.id.is_empty() || request.id == id)
        });
        let position = known.unwrap_or_else(|| {
            self.0.push((piece.index, ToolRequest::default()));
            self.0.len() - 1
        });
        let request = &mut self.0[position].1;
        if request.id.is_empty() {
            request.id = id;
        }
        if let Some(function) = piece.function {
            let name = function.name.unwrap_or_default();
            if request.name != name {
                request.name.push_str(&name);
            }
            match function.arguments {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => request.arguments.push_str(&text),
                Some(whole) => request.arguments = whole.to_string(),
            }
        }
        if request.arguments.len() > LONGEST_ARGUMENTS || self.0.len() > MOST_TOOLS {
            return Err(AnswerError::TooManyTools);
        }
        Ok(())
    }

    /// All requests, in the model's order, each with an id.
    pub fn requests(&self) -> Vec<ToolRequest> {
        let requests = self.0.iter().enumerate().map(|(position, (_, request))| {
            let mut request = request.clone();
            if request.id.is_empty() {
                request.id = format!("call_{position}");
            }
            request
        });
        requests.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(events: &[Value]) -> Vec<ToolRequest> {
        let mut requests = ToolRequests::default();
        for pieces in events {
            for piece in serde_json::from_value::<Vec<Piece>>(pieces.clone()).unwrap() {
                requests.take(piece).unwrap();
            }
        }
        requests.requests()
    }

    fn request(id: &str, name: &str, arguments: &str) -> ToolRequest {
        ToolRequest {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        }
    }

    #[test]
    fn tools_are_put_together_from_their_pieces() {
        use serde_json::json;
        assert_eq!(
            requests(&[
                json!([{"index": 0, "id": "a", "function": {"name": "add", "arguments": ""}}]),
                json!([{"index": 0, "function": {"arguments": "{\"x\""}}, {"index": 1, "id": "b", "function": {"name": "sub"}}]),
                json!([{"index": 0, "id": "a", "function": {"name": "add", "arguments": ": 1}"}}]),
            ]),
            [request("a", "add", r#"{"x": 1}"#), request("b", "sub", "")]
        );
    }

    #[test]
    fn servers_that_number_no_calls_or_name_none_are_understood() {
        use serde_json::json;
        assert_eq!(
            requests(&[
                json!([{"index": 0, "id": "a", "function": {"name": "add", "arguments": {"x": 1}}}]),
                json!([{"index": 0, "id": "b", "function": {"name": "add", "arguments": "{}"}}]),
                json!([{"index": 1, "function": {"name": "sub", "arguments": "{}"}}]),
            ]),
            [
                request("a", "add", r#"{"x":1}"#),
                request("b", "add", "{}"),
                request("call_2", "sub", "{}")
            ]
        );
    }

    #[test]
    fn arguments_are_an_object_or_say_why_not() {
        assert!(request("", "", " ").parsed_arguments().unwrap().is_empty());
        assert!(
            request("", "", "[1]")
                .parsed_arguments()
                .unwrap_err()
                .contains("no object")
        );
        assert!(
            request("", "", "{")
                .parsed_arguments()
                .unwrap_err()
                .contains("EOF")
        );
    }

    #[test]
    fn a_model_cannot_ask_for_tools_without_end() {
        let piece = |index: usize, arguments: &str| {
            let piece = serde_json::json!({
                "index": index, "id": index.to_string(), "function": {"arguments": arguments},
            });
            serde_json::from_value::<Piece>(piece).unwrap()
        };
        let mut many = ToolRequests::default();
        assert!((0..MOST_TOOLS).all(|index| many.take(piece(index, "")).is_ok()));
        assert!(many.take(piece(MOST_TOOLS, "")).is_err());
        let mut long = ToolRequests::default();
        assert!(long.take(piece(0, &"x".repeat(LONGEST_ARGUMENTS))).is_ok());
        assert!(long.take(piece(0, "x")).is_err());
    }
}
