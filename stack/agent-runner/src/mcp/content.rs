//! The result of an MCP tool as text.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::tools::ToolError;

/// What the model reads of `result`. What is no text is named, not shown.
///
/// # Errors
///
/// When the tool says that it failed.
pub fn text(result: CallToolResult) -> Result<String, ToolError> {
    let mut texts = result.content.iter().map(block).collect::<Vec<_>>();
    if texts.is_empty()
        && let Some(structured) = &result.structured_content
    {
        texts.push(structured.to_string());
    }
    let text = texts.join("\n");
    match result.is_error {
        Some(true) if text.is_empty() => {
            Err(ToolError("the tool failed without a word".to_owned()))
        }
        Some(true) => Err(ToolError(text)),
        _ if text.is_empty() => Ok("(no output)".to_owned()),
        _ => Ok(text),
    }
}

fn block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(content) => content.text.clone(),
        ContentBlock::Image(content) => binary("image", &content.mime_type, &content.data),
        ContentBlock::Audio(content) => binary("audio", &content.mime_type, &content.data),
        ContentBlock::Resource(content) => match &content.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents {
                mime_type, blob, ..
            } => binary("resource", mime_type.as_deref().unwrap_or("binary"), blob),
            _ => "[a resource of a kind that this runner does not know]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("[resource {} at {}]", link.name, link.uri),
        _ => "[content of a kind that this runner does not know]".to_owned(),
    }
}

/// `data` is base64, of which four characters are three bytes.
fn binary(what: &str, mime_type: &str, data: &str) -> String {
    format!(
        "[{what}, {mime_type}, {} bytes, not shown]",
        data.len() / 4 * 3
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(result: Value) -> Result<String, ToolError> {
        text(serde_json::from_value(result).expect("a result"))
    }

    #[test]
    fn texts_are_joined_and_the_rest_is_named() {
        let content = json!([
            {"type": "text", "text": "one"},
            {"type": "image", "data": "AAAAAAAA", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "file:///a", "text": "two"}},
            {"type": "resource_link", "name": "b", "uri": "file:///b"},
        ]);
        assert_eq!(
            read(json!({"content": content})).unwrap(),
            "one\n[image, image/png, 6 bytes, not shown]\ntwo\n[resource b at file:///b]"
        );
    }

    #[test]
    fn structured_results_nothing_and_errors_are_told() {
        let structured = json!({"content": [], "structuredContent": {"sum": 3}});
        assert_eq!(read(structured).unwrap(), r#"{"sum":3}"#);
        assert_eq!(read(json!({"content": []})).unwrap(), "(no output)");
        let failed = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
        assert_eq!(read(failed), Err(ToolError("no".to_owned())));
        assert!(read(json!({"content": [], "isError": true})).is_err());
    }
}
