use std::os::unix::fs::PermissionsExt;

use super::*;

fn with_file(text: &str) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(dir.path().join("config.yaml")).unwrap();
    fs::write(&path, text).unwrap();
    (dir, Config::load_from(path))
}

#[test]
fn without_a_file_everything_is_at_its_default() {
    let config = Config::load_from("/nonexistent/config.yaml".into()).unwrap();
    assert_eq!(config.backend().unwrap(), "local");
    assert_eq!(config.get("llm.model").unwrap(), "qwen2.5-coder:7b");
    assert_eq!(config.list().unwrap().len(), KEYS.len());
}

#[test]
fn defaults_follow_the_provider() {
    let (_dir, config) = with_file("backend: {local: {llm: {provider: openai}}}\n");
    let config = config.unwrap();
    assert_eq!(config.get("llm.model").unwrap(), "gpt-4");
    assert_eq!(
        config.get("llm.base_url").unwrap(),
        "https://api.openai.com/v1"
    );
}

#[test]
fn a_saved_value_comes_back_and_strangers_are_kept() {
    let (_dir, config) = with_file("context:\n  organization: acme\n");
    let mut config = config.unwrap();
    for (key, value) in [
        ("execution.ttl", "60"),
        ("temporal.managed", "false"),
        ("llm.model", "x:1"),
    ] {
        config.set(key, value).unwrap();
    }
    config.save().unwrap();
    let again = Config::load_from(config.path.clone()).unwrap();
    assert_eq!(again.get("execution.ttl").unwrap(), "60");
    assert_eq!(again.get("temporal.managed").unwrap(), "false");
    assert_eq!(again.get("llm.model").unwrap(), "x:1");
    assert_eq!(again.document["context"]["organization"], "acme");
    let mode = fs::metadata(&config.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        fs::read_to_string(&config.path)
            .unwrap()
            .starts_with(HEADER)
    );
}

#[test]
fn values_that_do_not_fit_their_key_are_refused() {
    let mut config = Config::load_from("/nonexistent/config.yaml".into()).unwrap();
    for (key, value, text) in [
        (
            "execution.mode",
            "vm",
            "invalid execution mode: vm (must be: local, sandbox, or auto)",
        ),
        (
            "execution.ttl",
            "soon",
            "invalid integer value for execution.ttl: soon",
        ),
        (
            "temporal.managed",
            "maybe",
            "invalid boolean value for temporal.managed: maybe",
        ),
        (
            "backend.type",
            "moon",
            "invalid backend type: moon (must be: local or cloud)",
        ),
        ("nope", "1", "unknown configuration key: nope"),
    ] {
        assert_eq!(config.set(key, value).unwrap_err().to_string(), text);
    }
}

#[test]
fn a_damaged_file_is_named() {
    for text in ["backend: [", "- a\n- b\n", "just text", "a: 1\na: 2\n"] {
        let (dir, config) = with_file(text);
        let error = config.unwrap_err().to_string();
        assert!(error.contains(dir.path().to_str().unwrap()), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let (dir, config) = with_file("backend: {type: moon}\n");
    let error = config.unwrap().backend().unwrap_err().to_string();
    assert!(
        error.contains("moon") && error.contains(dir.path().to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn an_empty_file_is_an_empty_mapping() {
    let (_dir, config) = with_file("# nothing yet\n\n");
    assert_eq!(config.unwrap().backend().unwrap(), "local");
}
