//! What a new project consists of.

use super::sdk::Sdk;

/// Package names that would clash with the SDK or with directories that cargo makes.
const TAKEN: [&str; 6] = [
    "stigmer",
    "stigmer-api",
    "build",
    "deps",
    "examples",
    "incremental",
];

/// Whether a project may be called `name`.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(allowed)
}

/// Name and text of every file of the project `name`.
pub fn of(name: &str, sdk: &Sdk) -> Vec<(String, String)> {
    let note = match sdk {
        Sdk::Copy => {
            "The SDK is in [vendor/stigmer](vendor/stigmer): the copy of the `stigmer` that made this project. A newer one comes with a newer\n\
             `stigmer`: make another project and take its `vendor` directory."
        }
        Sdk::Directory { .. } => {
            "[Cargo.toml](Cargo.toml) says where the SDK is; on another machine, change the path."
        }
    };
    let fill = |text: &str| {
        text.replace("{name}", name)
            .replace("{package}", &package(name))
            .replace("{sdk}", &escaped(sdk.path()))
            .replace("{sdk_note}", note)
    };
    let mut files = vec![
        (
            "Stigmer.yaml",
            fill(include_str!("../../../template/Stigmer.yaml")),
        ),
        (
            "Cargo.toml",
            fill(include_str!("../../../template/Cargo.toml.in")),
        ),
        ("Cargo.lock", sdk.lock().to_owned()),
        (
            "src/main.rs",
            include_str!("../../../template/src/main.rs").to_owned(),
        ),
        (
            "README.md",
            fill(include_str!("../../../template/README.md")),
        ),
        (
            ".gitignore",
            include_str!("../../../template/gitignore").to_owned(),
        ),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect::<Vec<_>>();
    files.extend(sdk.files());
    files
}

/// The name of the project's Cargo package: `name`, unless cargo would refuse it.
fn package(name: &str) -> String {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    match starts_well && !TAKEN.contains(&name.to_lowercase().as_str()) {
        true => name.to_owned(),
        false => format!("project-{name}"),
    }
}

/// `text` for the inside of a TOML string.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Project, Runtime};

    fn text(files: &[(String, String)], name: &str) -> String {
        let found = files.iter().find(|(other, _)| other == name);
        found
            .unwrap_or_else(|| panic!("{name} is missing"))
            .1
            .clone()
    }

    #[test]
    fn the_project_file_is_one() {
        let files = of("my-agents", &Sdk::Copy);
        let yaml = text(&files, "Stigmer.yaml");
        let project = Project::parse(&yaml, "/p/Stigmer.yaml".into()).unwrap();
        assert_eq!(
            (project.name.as_str(), project.runtime),
            ("my-agents", Runtime::Rust)
        );
        text(&files, project.main.as_str());
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for (name, text) in of("a", &Sdk::Copy) {
            let is_ours = !name.starts_with("vendor/") && !name.ends_with(".rs");
            for gap in ["{name}", "{package}", "{sdk"] {
                assert!(!is_ours || !text.contains(gap), "{name} has {gap}");
            }
        }
    }

    #[test]
    fn names_are_letters_digits_hyphens_and_underscores() {
        for good in ["a", "my-agents", "My_Agents2", "9"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "../a", "a/b", "ä", "a.b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_that_cargo_refuses_becomes_one_that_it_takes() {
        for (name, wanted) in [
            ("my-agents", "my-agents"),
            ("9lives", "project-9lives"),
            ("_x", "project-_x"),
            ("Stigmer", "project-Stigmer"),
            ("deps", "project-deps"),
        ] {
            assert_eq!(package(name), wanted);
        }
    }
}
