//! An agent's instructions, with what it has at hand.

use crate::environment::Environment;

const DEFAULT_INSTRUCTIONS: &str = "You are a helpful AI assistant.";

/// The system message of an agent: its own `instructions`, the section about its skills, and what it
/// may know of its environment.
pub fn instructions(
    instructions: &str,
    skills: Option<String>,
    environment: &Environment,
) -> String {
    let own = match instructions.trim() {
        "" => DEFAULT_INSTRUCTIONS,
        instructions => instructions,
    };
    let sections = [Some(own.to_owned()), skills, environment.section()];
    sections
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn sections_follow_the_instructions_and_nothing_follows_when_there_is_nothing() {
        let none = Environment::default();
        assert_eq!(instructions(" Be brief.\n", None, &none), "Be brief.");
        assert_eq!(instructions("", None, &none), DEFAULT_INSTRUCTIONS);
        let text = instructions(
            "Be brief.",
            Some("## Available Skills".to_owned()),
            &environment(&[("REGION", "eu", false)]),
        );
        assert!(
            text.starts_with("Be brief.\n\n## Available Skills\n\n## Environment\n"),
            "{text}"
        );
    }
}
