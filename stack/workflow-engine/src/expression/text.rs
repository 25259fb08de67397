//! Expressions inside text: where they begin and end, and what authors write that is not quite jq.

use std::sync::LazyLock;

use regex_lite::Regex;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The jq between `${` and `}`, trimmed.
    Expression(&'a str),
    /// `${.secrets.KEY}` or `${.env_vars.KEY}`: the form and the key.
    Placeholder { form: &'a str, key: &'a str },
}

/// Cuts `text` at its expressions. A `${` that is never closed is text.
pub(super) fn cut(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    while let Some(start) = rest[searched..].find("${").map(|at| searched + at) {
        let Some(end) = closing_brace(&rest[start + 2..]) else {
            searched = start + 2;
            continue;
        };
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(expression(rest[start + 2..start + 2 + end].trim()));
        rest = &rest[start + 3 + end..];
        searched = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn expression(code: &str) -> Piece<'_> {
    // A literal pattern; a test runs it.
    static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\.(secrets|env_vars)\.([A-Z_][A-Z0-9_]*)$").expect("the pattern compiles")
    });
    match PLACEHOLDER.captures(code) {
        Some(found) => {
            let group = |nth: usize| found.get(nth).map_or("", |group| &code[group.range()]);
            Piece::Placeholder {
                form: group(1),
                key: group(2),
            }
        }
        None => Piece::Expression(code),
    }
}

/// Where the brace closes that was open before `code`; braces in quotes do not count.
fn closing_brace(code: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut scan = Scan::new(code);
    while let Some((at, c, quoted)) = scan.next() {
        match c {
            '{' if !quoted => depth += 1,
            '}' if !quoted && depth == 0 => return Some(at),
            '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The jq that was meant: texts in single quotes become texts in double quotes, and `f()` is the
/// call `f`. Neither is touched inside double quotes.
pub(super) fn normalise(code: &str) -> String {
    let mut jq = String::with_capacity(code.len());
    let mut scan = Scan::new(code);
    let mut previous_quote = None;
    while let Some((at, c, _)) = scan.next() {
        let quote = std::mem::replace(&mut previous_quote, scan.quote);
        match (quote, c) {
            // The opening or closing single quote itself.
            (None, '\'') | (Some('\''), '\'') if scan.quote != quote => jq.push('"'),
            (Some('\''), '"') => jq.push_str("\\\""),
            // `\'` needs no escape between double quotes.
            (Some('\''), '\\') if code[at + 1..].starts_with('\'') => {}
            (None, '(') if code[at + 1..].starts_with(')') && ends_in_name(&jq) => {
                scan.next();
            }
            _ => jq.push(c),
        }
    }
    jq
}

fn ends_in_name(jq: &str) -> bool {
    jq.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// Characters of jq with whether they are quoted. Interpolations `\(…)` in texts count as quoted.
struct Scan<'a> {
    chars: std::str::CharIndices<'a>,
    /// The quote that is open after the last character.
    quote: Option<char>,
    escaped: bool,
}

impl<'a> Scan<'a> {
    fn new(code: &'a str) -> Self {
        Self {
            chars: code.char_indices(),
            quote: None,
            escaped: false,
        }
    }

    /// The next character, where it is, and whether it is inside quotes (the quotes included).
    fn next(&mut self) -> Option<(usize, char, bool)> {
        let (at, c) = self.chars.next()?;
        let was_open = self.quote.is_some();
        match (self.quote, c) {
            _ if self.escaped => self.escaped = false,
            (Some(_), '\\') => self.escaped = true,
            (None, '"' | '\'') => self.quote = Some(c),
            (Some(open), c) if c == open => self.quote = None,
            _ => {}
        }
        Some((at, c, was_open || self.quote.is_some()))
    }
}

/// The condition that a text states: jq as it stands, or with its `${…}` parts in parentheses, so
/// that `${ .a } == 1` compares.
pub(super) fn condition(text: &str) -> String {
    let pieces = cut(text.trim());
    if let [Piece::Expression(code)] = pieces.as_slice() {
        return (*code).to_owned();
    }
    let code = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => (*text).to_owned(),
        Piece::Expression(code) => format!("({code})"),
        Piece::Placeholder { form, key } => format!("(.{form}.{key})"),
    });
    code.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_its_expressions() {
        assert_eq!(
            cut("Bearer ${ .a }!"),
            [
                Piece::Text("Bearer "),
                Piece::Expression(".a"),
                Piece::Text("!")
            ]
        );
        assert_eq!(
            cut("${.a}${ .b }"),
            [Piece::Expression(".a"), Piece::Expression(".b")]
        );
        assert_eq!(cut("$5 and {x}"), [Piece::Text("$5 and {x}")]);
        assert_eq!(cut(""), []);
    }

    #[test]
    fn braces_in_objects_and_quotes_do_not_end_an_expression() {
        assert_eq!(
            cut(r#"${ {a: {b: "}"}} }"#),
            [Piece::Expression(r#"{a: {b: "}"}}"#)]
        );
        assert_eq!(
            cut(r#"${ '}' + "\"}" }x"#),
            [Piece::Expression(r#"'}' + "\"}""#), Piece::Text("x")]
        );
    }

    #[test]
    fn an_expression_that_never_ends_is_text() {
        assert_eq!(cut("a ${ .b"), [Piece::Text("a ${ .b")]);
        assert_eq!(
            cut("${ { ${.a}"),
            [Piece::Text("${ { "), Piece::Expression(".a")]
        );
    }

    #[test]
    fn only_the_exact_form_is_a_placeholder() {
        assert_eq!(
            cut("${.secrets.API_KEY}"),
            [Piece::Placeholder {
                form: "secrets",
                key: "API_KEY"
            }]
        );
        assert_eq!(
            cut("${.env_vars._A1}"),
            [Piece::Placeholder {
                form: "env_vars",
                key: "_A1"
            }]
        );
        for other in [".secrets.api", ".secrets.A.b", ".secret.A", ".secrets.1A"] {
            assert_eq!(cut(&format!("${{{other}}}")), [Piece::Expression(other)]);
        }
    }

    #[test]
    fn single_quotes_become_double_ones_outside_of_texts_only() {
        for (written, meant) in [
            ("$context['a'].b == 'open'", r#"$context["a"].b == "open""#),
            (r#""it's""#, r#""it's""#),
            (r#"'say "hi"'"#, r#""say \"hi\"""#),
            (r"'it\'s'", r#""it's""#),
        ] {
            assert_eq!(normalise(written), meant);
        }
    }

    #[test]
    fn empty_parentheses_after_a_name_are_dropped() {
        assert_eq!(
            normalise(r#"now() + f() + "g()" + (())"#),
            r#"now + f + "g()" + (())"#
        );
    }

    #[test]
    fn a_condition_compares_what_is_marked() {
        assert_eq!(condition("${ .a == 1 }"), ".a == 1");
        assert_eq!(condition("${ .a } == 1"), "(.a) == 1");
        assert_eq!(condition(" .a > 0 "), ".a > 0");
    }
}
