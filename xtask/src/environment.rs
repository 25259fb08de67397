//! The environment of what we start: the user's own, without what `cargo run` added for us.

use std::{env, process::Command};

use xshell::Cmd;

/// Makes a command see the environment of the user. What `cargo run` set for this program goes: the
/// variables about the package would make build scripts run again, and the library path would
/// reach into every service of the stack.
pub fn as_the_user<'a>(command: Cmd<'a>) -> Cmd<'a> {
    corrections()
        .into_iter()
        .fold(command, |command, (name, value)| match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        })
}

/// [`as_the_user`] for a command of the standard library.
pub fn make_users_own(command: &mut Command) {
    for (name, value) in corrections() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Variables to set, or to remove.
fn corrections() -> Vec<(String, Option<String>)> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut corrections: Vec<_> = names
        .filter(|name| set_by_cargo_run(name))
        .map(|name| (name, None))
        .collect();
    let cargo = env::var("CARGO").ok();
    for name in LIBRARY_PATHS {
        if let Ok(path) = env::var(name) {
            corrections.push((name.to_owned(), users_part(&path, cargo.as_deref())));
        }
    }
    corrections
}

const LIBRARY_PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

fn set_by_cargo_run(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || [
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_CRATE_NAME",
            "CARGO_BIN_NAME",
            "OUT_DIR",
            "RUST_RECURSION_COUNT",
        ]
        .contains(&name)
}

/// A library path without the folders that `cargo run` puts first: the target directory's, and the
/// toolchain's. `None` if nothing is left.
fn users_part(path: &str, cargo: Option<&str>) -> Option<String> {
    let toolchain = cargo
        .and_then(|cargo| cargo.strip_suffix("/bin/cargo"))
        .map(|root| format!("{root}/lib"));
    let built = |folder: &str| {
        folder.ends_with("/debug") || folder.ends_with("/debug/deps") || folder.contains("/target/")
    };
    let ours = |folder: &&str| {
        !built(folder)
            && !toolchain
                .as_ref()
                .is_some_and(|lib| folder.starts_with(lib.as_str()))
    };
    let rest: Vec<&str> = path
        .split(':')
        .filter(|folder| !folder.is_empty())
        .filter(ours)
        .collect();
    (!rest.is_empty()).then(|| rest.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_own_library_path_is_passed_on() {
        let cargo = Some("/rust/toolchains/stable/bin/cargo");
        let set = "/c/target/debug/build/x/out:/c/target/debug:/c/target/debug/deps:/rust/toolchains/stable/lib/rustlib/x/lib:/rust/toolchains/stable/lib";
        assert_eq!(users_part(set, cargo), None);
        assert_eq!(
            users_part(&format!("{set}:/opt/own/lib"), cargo).as_deref(),
            Some("/opt/own/lib")
        );
    }
}
