//! Names that the chat API takes for tools.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The longest name that the API takes.
const LONGEST: usize = 64;

/// What a model calls `tool` of `server` by: `server__tool`, with `_` for characters that the API does
/// not take, and a digest in place of what is too long.
pub fn model_name(server: &str, tool: &str) -> String {
    let name = format!("{server}__{tool}");
    let safe = name
        .chars()
        .map(
            |c| match c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
                true => c,
                false => '_',
            },
        )
        .collect::<String>();
    if safe.len() <= LONGEST {
        return safe;
    }
    // The standard hasher without keys gives the same name in every process of this build.
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let digest = format!("_{:08x}", hasher.finish() as u32);
    format!("{}{digest}", &safe[..LONGEST - digest.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_api_takes_and_stay_apart() {
        assert_eq!(model_name("github", "create_issue"), "github__create_issue");
        assert_eq!(model_name("my server", "läs.en"), "my_server__l_s_en");
        let (a, b) = ("x".repeat(80) + "a", "x".repeat(80) + "b");
        let (a, b) = (model_name("s", &a), model_name("s", &b));
        assert_ne!(a, b);
        assert!(a.len() == 64 && b.len() == 64, "{a} {b}");
    }
}
