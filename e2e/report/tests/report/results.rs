//! Results folders to make reports of.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use stigmer_e2e_plan::write_json;

/// A results folder, gone when dropped.
pub struct Results {
    _folder: tempfile::TempDir,
    pub path: Utf8PathBuf,
}

/// A results folder of a run with `tests`: names, verdicts, milliseconds.
pub fn results(tests: &[(&str, &str, u64)]) -> Results {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    let count = |verdict: &str| tests.iter().filter(|test| test.1 == verdict).count();
    let run = json!({
        "run_id": "20260101T000000-abcd", "verdict": "failed", "exit_code": 100, "seed": 7, "jobs": 2,
        "started_at": "2026-01-01T00:00:00Z", "counts": {"passed": count("passed"), "failed": count("failed")},
    });
    write(&path, "run.json", &run);
    for (at, (name, verdict, ms)) in tests.iter().enumerate() {
        let second = at % 60;
        let failure = json!({"message": format!("{name} broke its promise\n  left: 1\n right: 2"), "location": "e2e/tests/suite/run.rs:7:9"});
        let failure = (*verdict == "failed").then_some(failure);
        let test = json!({
            "name": name, "ids": [], "verdict": verdict, "ms": ms, "rerun": format!("again {name}"),
            "started_at": format!("2026-01-01T00:00:{second:02}Z"), "steps": [{"text": "apply", "at_ms": 5}],
            "failure": failure, "teardown_findings": [],
        });
        let function = name.rsplit("::").next().unwrap_or(name);
        write(&path.join("tests").join(function), "test.json", &test);
    }
    Results {
        _folder: folder,
        path,
    }
}

/// Writes a JSON file.
pub fn write(folder: &Utf8Path, name: &str, value: &Value) {
    write_json(&folder.join(name), value).expect("written");
}

/// Writes a text file, with the folders above it.
pub fn append(folder: &Utf8Path, name: &str, text: &str) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, text).expect("written");
}
