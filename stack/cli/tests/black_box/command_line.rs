//! What `stigmer` says and how it exits when there is no server in play.

use std::{fs, path::Path};

use crate::support::{self, Stigmer, project::Project};

#[test]
fn an_unknown_command_or_flag_is_one_error_line_and_nothing_else() {
    let stigmer = Stigmer::without_server();
    for args in [
        &["frobnicate"][..],
        &["apply", "--nope"],
        &["run", "--output", "xml"],
        &["config", "frobnicate"],
        &["config", "get"],
        &["apply", "surplus"],
    ] {
        let went = stigmer.run(args);
        assert_eq!(went.stdout, "", "{args:?}");
        assert_eq!(went.badly().lines().count(), 1, "{args:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let stigmer = Stigmer::without_server();
    for args in [
        &[][..],
        &["--help"],
        &["help"],
        &["apply", "--help"],
        &["run", "--help"],
        &["config"],
        &["config", "--help"],
        &["backend", "--help"],
    ] {
        assert!(
            stigmer.run(args).well().contains("Usage: stigmer"),
            "{args:?}"
        );
    }
    assert!(
        stigmer
            .run(&["--version"])
            .well()
            .starts_with("stigmer 0.1.0 (build ")
    );
}

#[test]
fn an_unreachable_server_is_never_called_not_found() {
    let stigmer = Stigmer::without_server();
    let project = Project::with_agents(&[("a", "")]);
    for error in [
        project.run(&stigmer, &["apply"]).badly(),
        project.run(&stigmer, &["run"]).badly(),
        stigmer.run(&["run", "a"]).badly(),
        stigmer.run(&["run", "a", "--output", "json"]).badly(),
    ] {
        assert!(
            error.starts_with(&format!(
                "Error: Cannot connect to stigmer-server at {}",
                stigmer.server
            )),
            "{error}"
        );
        assert!(!error.to_lowercase().contains("not found"), "{error}");
        assert!(error.contains("\n  stigmer server status\n"), "{error}");
    }
    // Whoever says where the server is gets no other one started.
    assert_eq!(files(stigmer.home.path()), Vec::<String>::new());
}

#[test]
fn a_bad_variable_is_named_before_anything_happens() {
    let stigmer = Stigmer::without_server();
    for argument in ["X", "=1", "secret:", ""] {
        let went = stigmer.run(&["run", "a", "--runtime-env", argument]);
        assert_eq!(went.stdout, "", "{argument:?}");
        let error = went.badly();
        assert!(
            error.contains("Invalid runtime environment format") && error.contains(argument),
            "{error}"
        );
    }
}

#[test]
fn a_directory_without_a_project_is_said_to_be_none() {
    let stigmer = Stigmer::without_server();
    assert!(
        stigmer
            .run(&["apply"])
            .badly()
            .starts_with("Error: Stigmer.yaml not found in current directory")
    );
    assert!(
        stigmer
            .run(&["run"])
            .badly()
            .starts_with("Error: No Stigmer.yaml found in current directory")
    );
    assert_eq!(
        stigmer.run(&["apply", "--config", "/nope"]).badly(),
        "Error: Stigmer.yaml not found: /nope\n"
    );
}

#[test]
fn a_dry_run_needs_no_server_and_leaves_no_trace_outside_its_folder() {
    let stigmer = Stigmer::without_server();
    let project = Project::with_agents(&[("a", "reads"), ("b", "")]);
    let before = files(project.path());
    let shown = project.run(&stigmer, &["apply", "--dry-run"]).well();
    assert!(
        shown.contains("Dry run successful - no resources were deployed"),
        "{shown}"
    );
    let rows = shown
        .lines()
        .skip_while(|line| !line.starts_with("TYPE"))
        .collect::<Vec<_>>();
    assert_eq!(
        rows[0].split_whitespace().collect::<Vec<_>>(),
        ["TYPE", "NAME", "ACTION"]
    );
    assert_eq!(
        rows[2].split_whitespace().collect::<Vec<_>>(),
        ["Agent", "a", "Create"]
    );
    assert_eq!(
        rows[3].split_whitespace().collect::<Vec<_>>(),
        ["Agent", "b", "Create"]
    );
    let after = files(project.path())
        .into_iter()
        .filter(|file| !file.contains("/.stigmer/"))
        .collect::<Vec<_>>();
    assert_eq!(after, before);
    assert_eq!(files(stigmer.home.path()), Vec::<String>::new());
}

#[test]
fn a_dry_run_in_json_is_one_object() {
    let project = Project::with_agents(&[("a", "")]);
    let shown = project
        .run(
            &Stigmer::without_server(),
            &["apply", "--dry-run", "--output", "json"],
        )
        .well();
    let json: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "dry_run": true,
            "project": {"name": "demo", "runtime": "go", "main": "main.go"},
            "resources": [{"type": "Agent", "name": "a", "status": "planned"}],
        })
    );
}

#[test]
fn resources_of_an_earlier_program_are_forgotten() {
    let stigmer = Stigmer::without_server();
    let project = Project::with_agents(&[("a", ""), ("b", ""), ("c", "")]);
    assert!(
        project
            .run(&stigmer, &["apply", "--dry-run"])
            .well()
            .contains("3 resource(s) discovered")
    );
    project.agents(&[("a", ""), ("b", "")]);
    assert!(
        project
            .run(&stigmer, &["apply", "--dry-run"])
            .well()
            .contains("2 resource(s) discovered")
    );
}

#[test]
fn what_the_program_prints_is_shown() {
    let stigmer = Stigmer::without_server();
    let project = Project::with_script("echo from the program; echo why >&2; exit 3");
    let error = project.run(&stigmer, &["apply"]).badly();
    let entry = project.path().canonicalize().unwrap().join("main.go");
    assert_eq!(
        error,
        format!(
            "Error: program exited with code 3 ({})\nfrom the program\nwhy\n",
            entry.display()
        )
    );
}

#[test]
fn a_program_that_leaves_nothing_is_an_error() {
    let project = Project::with_script("true");
    let error = project
        .run(&Stigmer::without_server(), &["apply", "--dry-run"])
        .badly();
    assert!(
        error.contains("no resources found in synthesis output"),
        "{error}"
    );
}

#[test]
fn the_first_error_of_the_compiler_is_shown_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"does-not-compile\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(dir.path().join("Stigmer.yaml"), "name: x\nruntime: rust\n").unwrap();
    // So many warnings that a limit on the output has something to cut.
    let unused = (0..800)
        .map(|n| format!("fn unused_{n}() {{}}\n"))
        .collect::<String>();
    let line = 800 + 2;
    let source = format!("{unused}fn main() {{\nlet text: String = 42; drop(text);\n}}\n");
    fs::write(dir.path().join("src/main.rs"), source).unwrap();
    let stigmer = Stigmer::without_server();
    let mut command = stigmer.command(dir.path(), &["apply", "--dry-run"]);
    command
        .env("CARGO_TARGET_DIR", dir.path().join("target"))
        .env_remove("HOME");
    // Cargo finds its own home by HOME, and the CLI needs none for a default configuration.
    command.env("HOME", std::env::var_os("HOME").unwrap());
    let error = support::finish(command).badly();
    assert!(error.contains("error[E0308]: mismatched types"), "{error}");
    assert!(error.contains(&format!("src/main.rs:{line}:")), "{error}");
}

#[test]
fn settings_are_kept_and_bad_ones_refused() {
    let stigmer = Stigmer::without_server();
    assert_eq!(
        stigmer.run(&["config", "get", "execution.ttl"]).well(),
        "3600\n"
    );
    let said = stigmer
        .run(&["config", "set", "execution.ttl", "60"])
        .well();
    assert!(
        said.starts_with("✓ Configuration updated: execution.ttl = 60\nℹ Saved to: "),
        "{said}"
    );
    assert_eq!(
        stigmer.run(&["config", "get", "execution.ttl"]).well(),
        "60\n"
    );
    assert!(
        stigmer
            .run(&["config", "list"])
            .well()
            .contains("execution.ttl = 60")
    );
    assert!(
        stigmer
            .run(&["config", "set", "execution.ttl", "soon"])
            .badly()
            .contains("invalid integer value")
    );
    assert!(
        stigmer
            .run(&["config", "get", "nope"])
            .badly()
            .contains("Configuration key not found: nope")
    );
    assert!(
        stigmer
            .run(&["backend", "set", "cloud"])
            .well()
            .contains("Backend set to cloud")
    );
    assert!(
        stigmer
            .run(&["run", "a"])
            .badly()
            .contains("cloud backend is not supported")
    );
    assert!(
        stigmer
            .run(&["backend", "set", "moon"])
            .badly()
            .contains("Invalid backend type: moon")
    );
}

#[test]
fn a_damaged_configuration_is_named() {
    let stigmer = Stigmer::without_server();
    let file = stigmer.home.path().join(".stigmer/config.yaml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    for text in ["backend: [", "backend: {type: moon}\n"] {
        fs::write(&file, text).unwrap();
        assert!(
            stigmer
                .run(&["run", "a"])
                .badly()
                .contains(file.to_str().unwrap())
        );
    }
}

/// Every file below `dir`, sorted.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.to_str().unwrap().to_owned()),
        }
    }
    found.sort();
    found
}
