//! Slugs: how the server derives one from a name, and what authors may call a resource.

/// The longest name an author may choose, in characters.
pub const MAX_NAME_LEN: usize = 63;

/// The server's slug of a name: lower case, spaces to hyphens, everything outside `a-z 0-9 -`
/// dropped, runs of hyphens collapsed, hyphens trimmed. Empty when nothing is left.
pub fn from_name(name: &str) -> String {
    let kept = name
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' { '-' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect::<String>();
    join_runs(&kept)
}

/// The SDK's slug of a name: lower case, every run of other characters becomes one hyphen,
/// hyphens trimmed. Differs from [`from_name`], which drops instead of replacing.
pub fn from_author_name(name: &str) -> String {
    let replaced = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>();
    join_runs(&replaced)
}

/// Whether `text` matches `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`.
pub fn is_valid(text: &str) -> bool {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(&first), Some(&last)) => {
            edge(first) && edge(last) && bytes.iter().all(|&b| edge(b) || b == b'-')
        }
        _ => false,
    }
}

fn join_runs(text: &str) -> String {
    text.split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_examples_hold() {
        for (name, slug) in [
            ("My Cool Agent", "my-cool-agent"),
            ("a_b.c", "abc"),
            ("--X  y!", "x-y"),
            ("!!!", ""),
        ] {
            assert_eq!(from_name(name), slug, "{name}");
        }
        assert_eq!(from_author_name("a_b.c"), "a-b-c");
    }

    #[test]
    fn validity_is_about_characters_and_edges() {
        for good in ["a", "a-b", "a--b", "9", "code-reviewer-pro"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "é", "Invalid Name!"] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
