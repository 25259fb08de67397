//! The page: a frame, its style and script, and the data as JSON that the script shows.
//!
//! Each test's story is a script element of its own behind the script, and becomes objects only when
//! the test is opened: a run of a thousand tests is usable before the browser has read all of it.

use serde_json::{Value, json};

use crate::{run::Run, story::Story};

const FRAME: &str = include_str!("assets/report.html");
const STYLE: &str = include_str!("assets/report.css");
/// The script in its parts, which share one scope.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("assets/script/dom.js"),
    include_str!("assets/script/data.js"),
    include_str!("assets/script/head.js"),
    include_str!("assets/script/timeline.js"),
    include_str!("assets/script/story.js"),
    include_str!("assets/script/list.js"),
    include_str!("assets/script/tables.js"),
    include_str!("assets/script/main.js"),
    "})();\n",
);

/// The whole page.
pub fn page(run: &Run, stories: &[Story]) -> String {
    let heads: Vec<&Value> = stories.iter().map(|story| &story.head).collect();
    let mut data = element("data-run", &run.to_json());
    data.push_str(&element("data-tests", &json!(heads)));
    let bodies = stories.iter().enumerate();
    let bodies = bodies.map(|(number, story)| element(&format!("data-{number}"), &story.body));
    let bodies: String = bodies.collect();
    let title = escaped(&format!("{} · {}", run.verdict(), run.id()));
    let parts = [
        ("TITLE", title.as_str()),
        ("STYLE", STYLE),
        ("DATA", &data),
        ("SCRIPT", SCRIPT),
        ("STORIES", &bodies),
    ];
    let length = parts.iter().map(|(_, part)| part.len()).sum::<usize>();
    let mut page = String::with_capacity(FRAME.len() + length);
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
