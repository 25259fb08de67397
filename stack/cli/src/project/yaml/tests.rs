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
