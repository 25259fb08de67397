//! The page: a frame, its style and script, and the data as JSON that the script shows.
//!
//! Each test's entries are a script element of their own and become objects only when the test is
//! opened, so that a run of a thousand tests opens at once.

use serde_json::{Value, json};

use crate::{run::Run, story::Story};

const FRAME: &str = include_str!("assets/report.html");
const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// The whole page.
pub fn page(run: &Run, stories: &[Story]) -> String {
    let heads: Vec<&Value> = stories.iter().map(|story| &story.head).collect();
    let mut data = element("run", &run.to_json());
    data.push_str(&element("tests", &json!(heads)));
    for (number, story) in stories.iter().enumerate() {
        data.push_str(&element(&format!("test-{number}"), &story.body));
    }
    let title = escaped(&format!("{} · {}", run.verdict(), run.id()));
    let parts = [
        ("TITLE", title.as_str()),
        ("STYLE", STYLE),
        ("DATA", &data),
        ("SCRIPT", SCRIPT),
    ];
    let mut page = String::with_capacity(FRAME.len() + STYLE.len() + SCRIPT.len() + data.len());
    // One pass, so that nothing in the data is taken for a place of the frame.
    let mut rest = FRAME;
    while let Some(at) = rest.find("{{") {
        let (before, after) = rest.split_at(at);
        page.push_str(before);
        let (name, after) = after[2..].split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|(known, _)| *known == name);
        page.push_str(part.map_or("", |(_, part)| part));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// A script element that holds `value` as JSON.
fn element(id: &str, value: &Value) -> String {
    // Inside a script element only `</` and `<!--` mean anything to a parser of HTML.
    let json = value.to_string().replace('<', "\\u003c");
    format!("<script type=\"application/json\" id=\"{id}\">{json}</script>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
