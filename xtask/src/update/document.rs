//! Changing values in a JSON text that people laid out, and nothing else of it. Pure.

use std::ops::Range;

use anyhow::{Context, Result};
use serde_json::Value;

/// A JSON text.
pub struct Document(String);

impl Document {
    /// The text as it is.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Puts `value` in the place of the one at `path`, a key of an object each.
    pub fn set(&mut self, path: &[&str], value: &Value) -> Result<()> {
        let found = self.find(path);
        let range = found.with_context(|| format!("there is no {}", path.join(".")))?;
        self.0.replace_range(range, &value.to_string());
        Ok(())
    }

    /// The changed text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn find(&self, path: &[&str]) -> Option<Range<usize>> {
        let start = skip_space(self.0.as_bytes(), 0);
        let whole = start..end_of_value(self.0.as_bytes(), start)?;
        path.iter()
            .try_fold(whole, |object, key| self.member(object, key))
    }

    /// The value of `key` in the object at `object`.
    fn member(&self, object: Range<usize>, key: &str) -> Option<Range<usize>> {
        let bytes = &self.0.as_bytes()[..object.end];
        if *bytes.get(object.start)? != b'{' {
            return None;
        }
        let mut at = skip_space(bytes, object.start + 1);
        while *bytes.get(at)? == b'"' {
            let end_of_key = end_of_value(bytes, at)?;
            let name: String = serde_json::from_str(self.0.get(at..end_of_key)?).ok()?;
            let colon = skip_space(bytes, end_of_key);
            let value = skip_space(bytes, colon + 1);
            let end = end_of_value(bytes, value)?;
            if name == key {
                return Some(value..end);
            }
            let comma = skip_space(bytes, end);
            at = skip_space(bytes, comma + 1);
        }
        None
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let is_space = |byte: &&u8| byte.is_ascii_whitespace();
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(is_space).count()
}

/// Where the value that begins at `start` ends.
fn end_of_value(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, start);
    loop {
        match *bytes.get(at)? {
            b'"' => at = end_of_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' => at += 1,
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let is_plain = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                at += bytes[at..].iter().take_while(is_plain).count().max(1);
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = r#"{
  "a": { "size": 1, "b": [{ "x": 1 }, "}"], "c": { "x": "old \" }" } },
  "size": 2
}
"#;

    fn changed(path: &[&str], value: Value) -> Result<String> {
        let mut document = Document::new(TEXT.to_owned());
        document.set(path, &value)?;
        Ok(document.into_text())
    }

    #[test]
    fn one_value_is_changed_and_the_rest_stays_as_it_is_laid_out() {
        let new = changed(&["a", "c", "x"], json!("new")).expect("it is there");
        assert_eq!(new, TEXT.replace(r#""old \" }""#, r#""new""#));
        let new = changed(&["size"], json!(30)).expect("it is there");
        assert_eq!(new, TEXT.replace("\"size\": 2", "\"size\": 30"));
        let new = changed(&["a", "size"], json!(10)).expect("it is there");
        assert_eq!(new, TEXT.replace("\"size\": 1,", "\"size\": 10,"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = changed(&["a", "nothing"], json!(1)).expect_err("refused");
        assert_eq!(error.to_string(), "there is no a.nothing");
        assert!(changed(&["size", "x"], json!(1)).is_err());
    }

    #[test]
    fn our_own_pins_are_found() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../pins.json");
        let text = std::fs::read_to_string(file).expect("readable");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        for (tool, artefact) in value["artefacts"].as_object().expect("an object") {
            for platform in artefact["platforms"].as_object().expect("an object").keys() {
                let path = ["artefacts", tool, "platforms", platform, "wheel", "sha256"];
                let document = Document::new(text.clone());
                let range = document.find(&path).expect("it is there");
                let pointer = format!("/{}", path.join("/"));
                let wanted = value.pointer(&pointer).expect("it is there");
                assert_eq!(text[range], wanted.to_string());
            }
        }
    }
}
