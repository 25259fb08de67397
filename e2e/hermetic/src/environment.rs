//! The environment of a hermetic run: a list, and nothing else.

use std::{collections::BTreeMap, env};

/// What is passed on as it is: where programs are, how to print, where temporary files go, and that this
/// is CI.
const PASSED_ON: [&str; 7] = [
    "PATH",
    "TERM",
    "NO_COLOR",
    "TMPDIR",
    "CI",
    "RUST_BACKTRACE",
    "RUSTUP_TOOLCHAIN",
];

/// Tools handed over by Nix, and what its compilers are told by.
const PASSED_ON_BY_PREFIX: [&str; 2] = ["STIGMER_E2E_", "NIX_"];

/// Where things of the user's are that a run reads: by the variable, or below HOME.
const FOLDERS: [(&str, &str); 3] = [
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("XDG_CACHE_HOME", ".cache"),
];

/// The variables of a hermetic run whose HOME is the empty folder `home`, from those of this process.
pub fn clean(home: &str) -> BTreeMap<String, String> {
    let variables = env::vars_os().filter_map(|(name, value)| {
        // What is no UTF-8 is on no list.
        Some((name.into_string().ok()?, value.into_string().ok()?))
    });
    clean_of(&variables.collect(), home)
}

fn clean_of(own: &BTreeMap<String, String>, home: &str) -> BTreeMap<String, String> {
    let is_passed_on = |name: &str| {
        PASSED_ON.contains(&name)
            || PASSED_ON_BY_PREFIX
                .iter()
                .any(|prefix| name.starts_with(prefix))
    };
    let mut clean: BTreeMap<_, _> = own
        .iter()
        .filter(|(name, _)| is_passed_on(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, below_home) in FOLDERS {
        let named = own.get(name).filter(|value| !value.is_empty()).cloned();
        let default = || Some(format!("{}/{below_home}", own.get("HOME")?));
        if let Some(folder) = named.or_else(default) {
            clean.insert(name.to_owned(), folder);
        }
    }
    clean.insert("HOME".to_owned(), home.to_owned());
    clean.insert("LANG".to_owned(), "C.UTF-8".to_owned());
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_passed_on_and_home_is_another_one() {
        let own = [
            ("HOME", "/home/u"),
            ("PATH", "/bin"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("https_proxy", "http://p"),
            ("LANG", "de_DE.UTF-8"),
            ("CARGO_HOME", "/opt/cargo"),
            ("STIGMER_E2E_MODEL", "/nix/store/m.gguf"),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let clean = clean_of(&own.into(), "/results/home");
        let expected = [
            ("CARGO_HOME", "/opt/cargo"),
            ("HOME", "/results/home"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/bin"),
            ("RUSTUP_HOME", "/home/u/.rustup"),
            ("STIGMER_E2E_MODEL", "/nix/store/m.gguf"),
            ("XDG_CACHE_HOME", "/home/u/.cache"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(clean, expected.into());
    }
}
