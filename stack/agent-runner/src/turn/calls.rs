//! The tools that one answer asks for, called side by side.

use futures::{StreamExt, stream};

use super::{
    TurnContext, TurnError,
    repetition::{Repetition, Verdict},
};
use crate::{
    llm::{ChatMessage, ToolRequest},
    text::beginning,
    tools::{ToolError, Toolbox},
    transcript::{CallKey, Component, Speaker},
};

/// How many tools work at a time.
const AT_ONCE: usize = 8;

/// The longest result that the model reads, in characters.
const LONGEST_RESULT: usize = 64 * 1024;

/// The longest arguments that an error repeats, in characters.
const SHOWN_ARGUMENTS: usize = 200;

/// A call that is about to begin.
struct Pending<'a> {
    request: &'a ToolRequest,
    key: CallKey,
    verdict: Verdict,
}

/// Calls what the model asks for, and gives the results in the order of the requests.
///
/// # Errors
///
/// When the model only repeats itself.
pub async fn run(
    context: &TurnContext,
    speaker: &Speaker,
    tools: &Toolbox,
    repetition: &mut Repetition,
    requests: &[ToolRequest],
) -> Result<Vec<ChatMessage>, TurnError> {
    let mut pending = Vec::with_capacity(requests.len());
    for request in requests {
        let component = tools.find(&request.name).map_or(
            Component {
                r#type: "tool",
                mcp_server: None,
            },
            |tool| tool.component(),
        );
        let key = context
            .record
            .update(|transcript| transcript.call_asked(speaker, request, &component));
        let verdict = repetition.note(request);
        if let Verdict::Stop(times) = verdict {
            return Err(TurnError::Repeats {
                name: request.name.clone(),
                times,
                arguments: beginning(&request.arguments, SHOWN_ARGUMENTS),
            });
        }
        pending.push(Pending {
            request,
            key,
            verdict,
        });
    }
    let calls = pending
        .into_iter()
        .map(|pending| call(context, tools, pending));
    // A list of futures: a stream that makes them as it goes could not be sent between threads.
    let calls = calls.collect::<Vec<_>>();
    Ok(stream::iter(calls).buffered(AT_ONCE).collect().await)
}

async fn call(context: &TurnContext, tools: &Toolbox, pending: Pending<'_>) -> ChatMessage {
    let Pending {
        request,
        key,
        verdict,
    } = pending;
    context
        .record
        .update(|transcript| transcript.call_running(key));
    let outcome = match tools.resolve(request) {
        Ok((tool, arguments)) => tool.call(arguments, key).await,
        Err(error) => Err(error),
    };
    // Whatever a tool repeats of the secrets it was given stops here.
    let outcome = outcome
        .map(|text| context.environment.mask(&text))
        .map_err(|ToolError(text)| context.environment.mask(&text));
    let text = outcome.as_deref().map_err(String::as_str);
    context
        .record
        .update(|transcript| transcript.call_ended(key, text));
    let mut content = match text {
        Ok(text) => beginning(text, LONGEST_RESULT),
        Err(text) => format!("Error: {}", beginning(text, LONGEST_RESULT)),
    };
    if let Verdict::Warn(times) = verdict {
        content.push_str(&format!(
            "\n\n(You have made this same call {times} times in a row. Do something else, or answer.)"
        ));
    }
    ChatMessage::result(&request.id, content)
}
