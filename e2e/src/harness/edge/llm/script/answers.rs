//! Scripted answers: which request gets which reply. Pure; the server around it is the module above.

use std::time::Duration;

use serde_json::Value;

use crate::harness::edge::Gate;

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The whole body.
    pub body: Value,
}

impl Seen {
    /// The model that was asked for, or an empty text.
    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    /// The contents of the messages of `role`, in order.
    pub fn messages_of(&self, role: &str) -> Vec<&str> {
        let messages = self.body["messages"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        messages
            .iter()
            .filter(|m| m["role"] == role)
            .filter_map(|m| m["content"].as_str())
            .collect()
    }

    /// The last thing a person said, or an empty text.
    pub fn last_user_message(&self) -> &str {
        self.messages_of("user").pop().unwrap_or_default()
    }

    /// The result of a tool that the request ends with.
    pub fn last_result(&self) -> Option<&str> {
        let last = self.body["messages"].as_array()?.last()?;
        last["content"].as_str().filter(|_| last["role"] == "tool")
    }

    /// The names of the tools that the model is offered, in order.
    pub fn tools(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().map_or(&[][..], Vec::as_slice);
        tools
            .iter()
            .filter_map(|tool| tool["function"]["name"].as_str())
            .collect()
    }

    /// The request in one line, for reports.
    pub fn summary(&self) -> String {
        let message = self.last_user_message();
        let shown = message.chars().take(120).collect::<String>();
        let summary = format!(
            "chat completion for model {:?}, last user message {shown:?}",
            self.model()
        );
        match self.last_result() {
            None => summary,
            Some(result) => {
                let shown = result.chars().take(120).collect::<String>();
                format!("{summary}, with the result {shown:?}")
            }
        }
    }
}

/// A step of a reply.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Tool { name: String, arguments: String },
    Wait(Gate),
    Pause(Duration),
}

/// What the model answers.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// The parts in order, then the end of the stream, or a cut connection in its place.
    Parts { parts: Vec<Part>, cut: bool },
    /// An HTTP error.
    Status { code: u16, message: String },
    /// A body that is no JSON.
    Malformed,
    /// No answer, ever.
    Silence,
}

impl Reply {
    /// `text`, word by word.
    pub fn text(text: &str) -> Self {
        text.split_inclusive(' ').fold(Self::nothing(), Self::then)
    }

    /// Nothing but the wish for this tool.
    pub fn calling(tool: &str, arguments: &Value) -> Self {
        Self::nothing().then_call(tool, arguments)
    }

    /// A reply to be put together with [`then`](Self::then) and its siblings.
    pub fn nothing() -> Self {
        Self {
            kind: Kind::Parts {
                parts: Vec::new(),
                cut: false,
            },
        }
    }

    /// One more chunk.
    #[must_use]
    pub fn then(self, chunk: &str) -> Self {
        self.with(Part::Text(chunk.to_owned()))
    }

    /// Then ask for a tool, in pieces as models do.
    #[must_use]
    pub fn then_call(self, tool: &str, arguments: &Value) -> Self {
        self.with(Part::Tool {
            name: tool.to_owned(),
            arguments: arguments.to_string(),
        })
    }

    /// Then wait until the test opens `gate`.
    #[must_use]
    pub fn then_wait(self, gate: &Gate) -> Self {
        self.with(Part::Wait(gate.clone()))
    }

    /// Then let `time` pass, for replies whose slowness is what the test is about.
    #[must_use]
    pub fn then_pause(self, time: Duration) -> Self {
        self.with(Part::Pause(time))
    }

    /// Then cut the connection in place of a proper end.
    #[must_use]
    pub fn then_cut(mut self) -> Self {
        if let Kind::Parts { cut, .. } = &mut self.kind {
            *cut = true;
        }
        self
    }

    /// An HTTP status with an error body of the API's shape.
    pub fn status(code: u16, message: &str) -> Self {
        Self {
            kind: Kind::Status {
                code,
                message: message.to_owned(),
            },
        }
    }

    /// Status 200 and a body that is no JSON.
    pub fn malformed() -> Self {
        Self {
            kind: Kind::Malformed,
        }
    }

    /// The request is read and never answered.
    pub fn silence() -> Self {
        Self {
            kind: Kind::Silence,
        }
    }

    fn with(mut self, part: Part) -> Self {
        if let Kind::Parts { parts, .. } = &mut self.kind {
            parts.push(part);
        }
        self
    }
}

/// A request that has to come, and its reply.
#[derive(Clone, Debug)]
pub struct Expectation {
    of: Of,
    contains: String,
    reply: Reply,
}

/// Which message an expectation is about.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// The last thing a person said.
    Person,
    /// The last message, which is a tool's result.
    Tool,
}

impl Expectation {
    /// A request whose last user message contains `text`; an empty text fits every request.
    pub fn message_containing(text: &str, reply: Reply) -> Self {
        Self {
            of: Of::Person,
            contains: text.to_owned(),
            reply,
        }
    }

    /// A request that ends with the result of a tool that contains `text`; an empty text fits every
    /// such request.
    pub fn result_containing(text: &str, reply: Reply) -> Self {
        Self {
            of: Of::Tool,
            ..Self::message_containing(text, reply)
        }
    }

    fn fits(&self, request: &Seen) -> bool {
        match self.of {
            Of::Person => request.last_user_message().contains(&self.contains),
            Of::Tool => request
                .last_result()
                .is_some_and(|result| result.contains(&self.contains)),
        }
    }
}

/// The script of one environment.
#[derive(Debug, Default)]
pub(super) struct Script {
    expectations: Vec<(Expectation, bool)>,
    always: Option<Reply>,
    unexpected: Vec<String>,
    pub(super) seen: Vec<Seen>,
}

impl Script {
    pub(super) fn expect(&mut self, expectation: Expectation) {
        self.expectations.push((expectation, false));
    }

    pub(super) fn answer_any(&mut self, reply: Reply) {
        self.always = Some(reply);
    }

    /// The reply to `request`: of the first unused expectation that fits, else the one for any
    /// request, else an error that will also fail the test.
    pub(super) fn reply_to(&mut self, request: Seen) -> Reply {
        let reply = match self
            .expectations
            .iter_mut()
            .find(|(e, used)| !used && e.fits(&request))
        {
            Some((expectation, used)) => {
                *used = true;
                expectation.reply.clone()
            }
            None => self.always.clone().unwrap_or_else(|| {
                self.unexpected.push(request.summary());
                Reply::status(503, "the test expected no such request")
            }),
        };
        self.seen.push(request);
        reply
    }

    pub(super) fn unexpected(&mut self, what: String) {
        self.unexpected.push(what);
    }

    /// What a test must not end with: unexpected requests and unused expectations, one line each.
    pub(super) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        let unused = self.expectations.iter().filter(|(_, used)| !used);
        let unused = unused.map(|(e, _)| {
            let what = match e.of {
                Of::Person => "a message",
                Of::Tool => "a tool's result",
            };
            format!("no request came with {what} containing {:?}", e.contains)
        });
        (self.unexpected.clone(), unused.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(message: &str) -> Seen {
        Seen {
            body: json!({"model": "m", "messages": [
                {"role": "system", "content": "be kind"}, {"role": "user", "content": message}]}),
        }
    }

    #[test]
    fn an_expectation_answers_once_and_the_rest_is_unexpected() {
        let mut script = Script::default();
        script.expect(Expectation::message_containing(
            "hello",
            Reply::text("hi there"),
        ));
        assert!(
            matches!(script.reply_to(request("say hello")).kind, Kind::Parts { parts, .. } if parts.len() == 2)
        );
        assert!(matches!(
            script.reply_to(request("say hello")).kind,
            Kind::Status { code: 503, .. }
        ));
        let (unexpected, unused) = script.complaints();
        assert_eq!(
            unexpected,
            ["chat completion for model \"m\", last user message \"say hello\""]
        );
        assert!(unused.is_empty());
    }

    #[test]
    fn a_tools_result_is_told_from_what_a_person_said() {
        let mut script = Script::default();
        script.expect(Expectation::result_containing("42", Reply::text("done")));
        assert!(matches!(
            script.reply_to(request("42")).kind,
            Kind::Status { code: 503, .. }
        ));
        let mut answered = request("add");
        let messages = answered.body["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "tool", "tool_call_id": "call_1", "content": "it is 42"}));
        assert!(matches!(script.reply_to(answered).kind, Kind::Parts { .. }));
    }

    #[test]
    fn an_unused_expectation_is_a_complaint() {
        let mut script = Script::default();
        script.answer_any(Reply::text("ok"));
        script.expect(Expectation::message_containing("never", Reply::silence()));
        assert!(matches!(
            script.reply_to(request("x")).kind,
            Kind::Parts { .. }
        ));
        let (unexpected, unused) = script.complaints();
        assert!(unexpected.is_empty());
        assert_eq!(
            unused,
            ["no request came with a message containing \"never\""]
        );
    }
}
