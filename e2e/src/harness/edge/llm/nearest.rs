//! How a request differs from a recorded one, field by field. Pure.

use serde_json::Value;

use super::cassette::Recording;

/// The longest text that a difference shows whole, in characters.
const SHOWN: usize = 100;

/// How much of a longer text is shown before the first character that differs.
const BEFORE: usize = 30;

/// Where `asked` differs from `recorded`, one line each; nothing when they are the same.
pub(super) fn differences(recorded: &Recording, asked: &Recording) -> Vec<String> {
    let mut found = Vec::new();
    for (field, then, now) in [
        ("method", &recorded.method, &asked.method),
        ("path", &recorded.path, &asked.path),
    ] {
        if then != now {
            found.push(line(field, &texts(then, now)));
        }
    }
    compare("body", &recorded.body, &asked.body, &mut found);
    found
}

fn compare(at: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, value) in then {
                let at = format!("{at}.{name}");
                match now.get(name) {
                    Some(other) => compare(&at, value, other, found),
                    None => found.push(line(&at, &(shown(value), "nothing".to_owned()))),
                }
            }
            for (name, value) in now.iter().filter(|(name, _)| !then.contains_key(*name)) {
                let at = format!("{at}.{name}");
                found.push(line(&at, &("nothing".to_owned(), shown(value))));
            }
        }
        (Value::Array(then), Value::Array(now)) => {
            for index in 0..then.len().max(now.len()) {
                let at = format!("{at}[{index}]");
                match (then.get(index), now.get(index)) {
                    (Some(then), Some(now)) => compare(&at, then, now, found),
                    (then, now) => {
                        let shown = |value: Option<&Value>| value.map_or("nothing".into(), shown);
                        found.push(line(&at, &(shown(then), shown(now))));
                    }
                }
            }
        }
        (Value::String(then), Value::String(now)) if then != now => {
            found.push(line(at, &texts(then, now)));
        }
        // Two ways to write one number are the same to every model.
        (Value::Number(then), Value::Number(now)) if then.as_f64() == now.as_f64() => {}
        (then, now) if then == now => {}
        (then, now) => found.push(line(at, &(shown(then), shown(now)))),
    }
}

fn line(at: &str, (then, now): &(String, String)) -> String {
    format!("{at}: recorded {then}, asked {now}")
}

/// Two texts from shortly before they part.
fn texts(then: &str, now: &str) -> (String, String) {
    let same = then
        .chars()
        .zip(now.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let is_short = |text: &str| text.chars().count() <= SHOWN;
    let from = match is_short(then) && is_short(now) {
        true => 0,
        false => same.saturating_sub(BEFORE),
    };
    (part(then, from), part(now, from))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => part(text, 0),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

fn part(text: &str, from: usize) -> String {
    let piece: String = text.chars().skip(from).take(SHOWN).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if text.chars().count() > from + SHOWN {
        "…"
    } else {
        ""
    };
    format!("{before}{piece:?}{after}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: Value) -> Recording {
        Recording {
            method: "POST".to_owned(),
            path: "/chat/completions".to_owned(),
            body,
        }
    }

    fn between(then: Value, now: Value) -> Vec<String> {
        differences(&request(then), &request(now))
    }

    #[test]
    fn the_order_of_fields_and_the_shape_of_numbers_make_no_difference() {
        let then = serde_json::from_str(r#"{"a": 1, "b": [true, 0.0]}"#).unwrap();
        let now = serde_json::from_str(r#"{"b": [true, 0], "a": 1.0}"#).unwrap();
        assert_eq!(between(then, now), Vec::<String>::new());
    }

    #[test]
    fn each_field_that_differs_is_named_with_both_values() {
        let then = json!({"max_tokens": 64, "seed": 7, "messages": [{"content": "Hi"}]});
        let now = json!({"max_tokens": 65, "stream": true, "messages": [{"content": "Ho"}, {"content": "!"}]});
        assert_eq!(
            between(then, now),
            [
                "body.max_tokens: recorded 64, asked 65",
                "body.messages[0].content: recorded \"Hi\", asked \"Ho\"",
                "body.messages[1]: recorded nothing, asked {\"content\":\"!\"}",
                "body.seed: recorded 7, asked nothing",
                "body.stream: recorded nothing, asked true",
            ]
        );
        let mut other = request(json!({}));
        other.path = "/models".to_owned();
        assert_eq!(
            differences(&request(json!({})), &other),
            ["path: recorded \"/chat/completions\", asked \"/models\""]
        );
    }

    #[test]
    fn of_long_texts_the_place_where_they_part_is_shown() {
        let (then, now) = ("é".repeat(400) + "old end", "é".repeat(400) + "new end");
        let found = between(json!(then), json!(now));
        assert_eq!(found.len(), 1);
        let same = "é".repeat(BEFORE);
        assert_eq!(
            found[0],
            format!("body: recorded …\"{same}old end\", asked …\"{same}new end\"")
        );
    }
}
