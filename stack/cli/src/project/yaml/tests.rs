use super::*;

fn load(
    text: &str,
) -> (
    tempfile::TempDir,
    Utf8PathBuf,
    Result<Project, ProjectError>,
) {
    let dir = tempfile::tempdir().unwrap();
    let file = Utf8PathBuf::try_from(dir.path().join(FILE_NAME)).unwrap();
    fs::write(&file, text).unwrap();
    let project = Project::load(Some(&file));
    (dir, file, project)
}

#[test]
fn defaults_depend_on_the_runtime() {
    let (_dir, file, project) = load("name: x\nruntime: rust\n");
    let project = project.unwrap();
    assert_eq!(
        (project.main.as_str(), project.version.as_deref()),
        ("src/main.rs", None)
    );
    assert_eq!(project.dir, file.parent().unwrap());
    let (_dir, _, project) = load("name: x\nruntime: go\nversion: 1.0\ndescription: anything\n");
    let project = project.unwrap();
    assert_eq!(
        (project.main.as_str(), project.version.as_deref()),
        ("main.go", Some("1.0"))
    );
}

#[test]
fn a_directory_and_its_file_mean_the_same_project() {
    let (dir, file, project) = load("name: x\nruntime: rust\n");
    let by_dir = Project::load(Some(Utf8Path::from_path(dir.path()).unwrap())).unwrap();
    assert_eq!(by_dir, project.unwrap());
    assert_eq!(by_dir, Project::load(Some(&file)).unwrap());
}

#[test]
fn what_is_not_a_mapping_names_the_file_in_one_line() {
    for text in [
        "",
        "# only a comment\n",
        "- a\n- b\n",
        "name: [\n",
        "just text",
        "name: x\nname: y\n",
    ] {
        let (_dir, file, project) = load(text);
        let error = project.unwrap_err().to_string();
        assert!(error.contains(file.as_str()), "{text:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn missing_keys_are_named() {
    for (text, wanted) in [
        ("runtime: rust\n", "Stigmer.yaml: 'name' is required"),
        (
            "name: ''\nruntime: rust\n",
            "Stigmer.yaml: 'name' is required",
        ),
        ("name: x\n", "Stigmer.yaml: 'runtime' is required"),
        (
            "name: x\nruntime: python\n",
            "Stigmer.yaml: unsupported runtime 'python' (currently supported: go, rust)",
        ),
    ] {
        let (_dir, file, project) = load(text);
        let error = project.unwrap_err().to_string();
        assert!(
            error.starts_with(wanted) && error.contains(file.as_str()),
            "{error}"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(dir.path()).unwrap();
    let error = Project::load(Some(path)).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("Stigmer.yaml not found: {}", path.join(FILE_NAME))
    );
}

#[test]
fn an_entry_is_an_existing_file_in_the_language() {
    let (dir, _, project) = load("name: x\nruntime: rust\n");
    let mut project = project.unwrap();
    let error = project.entry().unwrap_err().to_string();
    assert_eq!(
        error,
        format!("file not found: {}", project.dir.join("src/main.rs"))
    );

    fs::create_dir(dir.path().join("src")).unwrap();
    project.main = "src".into();
    assert_eq!(
        project.entry().unwrap_err().to_string(),
        format!("not a file: {}", project.dir.join("src"))
    );

    project.main = FILE_NAME.into();
    let error = project.entry().unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "file must be a Rust file (.rs): {}",
            project.dir.join(FILE_NAME)
        )
    );

    fs::write(dir.path().join("src/main.rs"), "").unwrap();
    project.main = "src/../src/main.rs".into();
    assert!(project.entry().unwrap().ends_with("src/main.rs"));
}

/// Whatever stands in the file, reading it ends, soon and with a project or an error that names it.
#[test]
fn no_text_is_too_much() {
    let aliases = (1..30)
        .map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9)))
        .collect::<String>();
    for (what, text) in [
        ("deep lists", "[".repeat(200_000)),
        ("deep mappings", "{a: ".repeat(200_000)),
        (
            "deep blocks",
            (0..5000)
                .map(|n| format!("{}a:\n", " ".repeat(n)))
                .collect(),
        ),
        (
            "aliases of aliases",
            format!("a0: &a0 [x]\n{aliases}name: *a29\n"),
        ),
        ("an alias of itself", "name: &a [*a]\n".to_owned()),
        (
            "a long scalar",
            format!("name: {}\nruntime: 1", "x".repeat(10 << 20)),
        ),
        ("tags", "name: !!binary x\nruntime: !<tag> y".to_owned()),
        ("a cut escape", "name: \"\\u12".to_owned()),
        (
            "control characters",
            "name: \u{0}\u{7}\u{85}\u{feff}".to_owned(),
        ),
    ] {
        let started = std::time::Instant::now();
        let result = Project::parse(&text, "/p/Stigmer.yaml".into());
        let error = result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("/p/Stigmer.yaml"), "{what}: {error}");
        assert!(error.len() < 2000, "{what}: {} bytes of error", error.len());
        let took = started.elapsed();
        assert!(
            took < std::time::Duration::from_secs(5),
            "{what} took {took:?}"
        );
    }
}
