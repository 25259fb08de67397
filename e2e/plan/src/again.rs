//! The command that makes a failure happen again.

use camino::Utf8Path;

/// The command that runs again what failed in the run in `results`, a folder below the checkout `root`
/// or anywhere else; with `test`, only that test. The seed is in the folder; here it is for people.
pub fn repro_command(root: &Utf8Path, results: &Utf8Path, test: Option<&str>, seed: u64) -> String {
    let results = results.strip_prefix(root).unwrap_or(results).as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let results = match results.bytes().all(plain) {
        true => results.to_owned(),
        false => format!("'{}'", results.replace('\'', r"'\''")),
    };
    let test = test.map(|test| format!(" {test}")).unwrap_or_default();
    format!("cargo xtask repro {results}{test} --seed {seed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_pasted_into_a_shell() {
        let command = |results: &str, test| repro_command("/here".into(), results.into(), test, 7);
        assert_eq!(
            command("/here/results/r1", Some("app_01_x")),
            "cargo xtask repro results/r1 app_01_x --seed 7"
        );
        assert_eq!(
            command("/else where/it's", None),
            r"cargo xtask repro '/else where/it'\''s' --seed 7"
        );
    }
}
