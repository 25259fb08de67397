//! `${NAME}` in the definition of an MCP server.

use crate::environment::Environment;

/// Variables that a definition names and the execution does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} in the execution's environment; give {} with --runtime-env or an environment of the agent's instance",
    absent(.0), if .0.len() == 1 { "it" } else { "them" }
)]
pub struct Missing(pub Vec<String>);

fn absent(names: &[String]) -> String {
    match names {
        [name] => format!("the variable {name} is not set"),
        names => format!("the variables {} are not set", names.join(", ")),
    }
}

/// `text` with the values of its placeholders: `${NAME}`, and `${.secrets.NAME}` and
/// `${.env_vars.NAME}` as authors write them in workflows. `$${` stands for `${`; other uses of `$`
/// stay as they are.
pub fn resolve(text: &str, environment: &Environment) -> Result<String, Missing> {
    let mut resolved = String::with_capacity(text.len());
    let mut missing = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = (&rest[..start], &rest[start + 2..]);
        if let Some(literal) = before.strip_suffix('$') {
            resolved.push_str(literal);
            resolved.push_str("${");
            rest = after;
            continue;
        }
        resolved.push_str(before);
        match name_in(after) {
            Some((name, length)) => {
                match environment.get(name) {
                    Some(value) => resolved.push_str(value),
                    None => missing.push(name.to_owned()),
                }
                rest = &after[length..];
            }
            None => {
                resolved.push_str("${");
                rest = after;
            }
        }
    }
    resolved.push_str(rest);
    match missing.is_empty() {
        true => Ok(resolved),
        false => Err(Missing(missing)),
    }
}

/// The variable that a placeholder names, and the length of what follows its `${`.
fn name_in(after: &str) -> Option<(&str, usize)> {
    let end = after.find('}')?;
    let inner = &after[..end];
    let name = ["", ".secrets.", ".env_vars."]
        .iter()
        .filter_map(|prefix| inner.strip_prefix(prefix))
        .find(|name| is_name(name))?;
    Some((name, end + 1))
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn placeholders_are_replaced_wherever_they_stand() {
        let environment = environment(&[("TOKEN", "t${X}", true), ("ORG", "acme", false)]);
        for (text, resolved) in [
            ("Bearer ${TOKEN}", "Bearer t${X}"),
            ("${ORG}/${ORG}", "acme/acme"),
            ("${.secrets.TOKEN}", "t${X}"),
            ("${.env_vars.ORG}", "acme"),
            ("$${ORG} $ORG ${ORG", "${ORG} $ORG ${ORG"),
            ("${ORG:-none} ${}", "${ORG:-none} ${}"),
            ("", ""),
        ] {
            assert_eq!(
                resolve(text, &environment).as_deref(),
                Ok(resolved),
                "{text}"
            );
        }
    }

    #[test]
    fn missing_variables_are_all_named() {
        let error = resolve("${A} ${B} ${ORG}", &environment(&[("ORG", "x", false)])).unwrap_err();
        assert_eq!(error, Missing(vec!["A".to_owned(), "B".to_owned()]));
        assert!(
            error
                .to_string()
                .starts_with("the variables A, B are not set"),
            "{error}"
        );
        let one = Missing(vec!["A".to_owned()]).to_string();
        assert!(one.starts_with("the variable A is not set"), "{one}");
    }
}
