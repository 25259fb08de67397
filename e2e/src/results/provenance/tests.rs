use super::*;

struct Fixture {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        Self {
            folder: Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap(),
            _keep: keep,
        }
    }

    fn program(&self, script: &str) -> Utf8PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.join("program");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn gather(&self, path: &Utf8Path) -> Binary {
        self.try_to_gather(path, path).unwrap()
    }

    fn try_to_gather(&self, file: &Utf8Path, built_as: &Utf8Path) -> Result<Binary> {
        let program = Program {
            name: "server".to_owned(),
            file: file.to_owned(),
            built_as: built_as.to_owned(),
        };
        let cache = self.folder.join("cache.json");
        let mut gathered = Provenance::gather(&self.folder, vec![program], &cache)?;
        Ok(gathered.binaries.remove(0))
    }
}

#[test]
fn a_file_that_a_run_has_for_itself_is_known_by_what_it_was_built_as() {
    let fixture = Fixture::new();
    let built = fixture.program("#!/bin/sh\necho 1\n");
    let (first, own) = (fixture.gather(&built), fixture.folder.join("own"));
    std::fs::hard_link(&built, &own).unwrap();
    std::fs::remove_file(&built).unwrap();
    let cache = fixture.folder.join("cache.json");
    let before = std::fs::read_to_string(&cache).unwrap();
    assert_eq!(fixture.try_to_gather(&own, &built).unwrap(), first);
    assert_eq!(std::fs::read_to_string(&cache).unwrap(), before);
}

#[test]
fn a_binary_is_named_by_hash_and_version() {
    let fixture = Fixture::new();
    let path = fixture.program("#!/bin/sh\necho server 1.2.3\n");
    let binary = fixture.gather(&path);
    assert_eq!(binary.version.as_deref(), Some("server 1.2.3"));
    let expected = Sha256::digest(std::fs::read(&path).unwrap());
    assert_eq!(
        binary.sha256,
        expected
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    );
}

#[test]
fn a_changed_file_is_hashed_again_and_an_unchanged_one_is_not() {
    let fixture = Fixture::new();
    let path = fixture.program("#!/bin/sh\necho 1\n");
    let first = fixture.gather(&path);
    let cache = fixture.folder.join("cache.json");
    let text = std::fs::read_to_string(&cache)
        .unwrap()
        .replace(&first.sha256, "from the cache");
    std::fs::write(&cache, text).unwrap();
    assert_eq!(fixture.gather(&path).sha256, "from the cache");
    fixture.program("#!/bin/sh\necho 22\n");
    let second = fixture.gather(&path);
    assert_eq!(
        (second.version.as_deref(), second.sha256.len()),
        (Some("22"), 64)
    );
}

#[test]
fn a_missing_binary_is_named() {
    let fixture = Fixture::new();
    let missing = Utf8Path::new("/no/such/server");
    let error = fixture.try_to_gather(missing, missing).unwrap_err();
    assert!(
        format!("{error:#}").contains("/no/such/server"),
        "{error:#}"
    );
}
