use std::{os::unix::fs::PermissionsExt as _, thread};

use tempfile::TempDir;

use super::*;

const ONES: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWOS: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn error_of(text: &str) -> String {
    Keys::parse(Path::new("/keys"), text)
        .expect_err("no keys")
        .to_string()
}

#[test]
fn a_missing_file_is_made_for_this_user_alone_and_stays() {
    let folder = folder();
    let file = folder.path().join("deep/in/payload.key");
    let made = Keys::load_or_create(&file).unwrap();
    let read = Keys::load_or_create(&file).unwrap();
    assert_eq!(made.ids(), read.ids());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let files = fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "drafts are left behind");
}

#[test]
fn processes_that_start_at_the_same_time_get_the_same_key() {
    let folder = folder();
    let file = folder.path().join("payload.key");
    let ids = thread::scope(|scope| {
        let starts = (0..16).map(|_| scope.spawn(|| Keys::load_or_create(&file).unwrap().ids()));
        let starts = starts.collect::<Vec<_>>();
        let ids = starts.into_iter().map(|start| start.join().unwrap());
        ids.collect::<Vec<_>>()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn two_new_files_have_different_keys() {
    let folder = folder();
    let ids = ["a", "b"].map(|name| {
        Keys::load_or_create(&folder.path().join(name))
            .unwrap()
            .ids()
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn the_first_key_is_current_and_all_are_found() {
    let text = format!("# since May\n{ONES}\n\n  {TWOS}  \n");
    let keys = Keys::parse(Path::new("/keys"), &text).unwrap();
    let (one, two) = (Key::parse(ONES).unwrap().id, Key::parse(TWOS).unwrap().id);
    assert_eq!(keys.current().id, one);
    assert_eq!(keys.ids(), format!("{one}, {two}"));
    assert!(keys.find(&two).is_some() && keys.find("").is_none());
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let short = &ONES[1..];
    let other = format!("{}zz", &ONES[2..]);
    let signed = format!("+1{}", &ONES[2..]);
    for (text, found) in [
        (short, "it has 63 characters"),
        (other.as_str(), "it has other characters"),
        (signed.as_str(), "it has other characters"),
    ] {
        let error = error_of(&format!("{TWOS}\n{text}\n"));
        assert!(
            error.contains("line 2") && error.contains("/keys") && error.contains(found),
            "{error}"
        );
        assert!(!error.contains("1111"), "{error}");
    }
    assert!(error_of("# nothing\n").contains("holds no key"));
}

#[test]
fn a_file_that_cannot_be_had_is_named_with_the_reason_and_the_remedy() {
    let folder = folder();
    let folder = folder.path();
    // A folder cannot be read, and below a file nothing can be made, whoever asks.
    let unreadable = Keys::load_or_create(folder).unwrap_err().to_string();
    fs::write(folder.join("file"), "").unwrap();
    let below = folder.join("file/payload.key");
    let below = Keys::load_or_create(&below).unwrap_err().to_string();
    for error in [unreadable, below] {
        let named = error.contains(&folder.display().to_string());
        assert!(
            named && error.contains("os error") && error.contains("STIGMER_PAYLOAD_KEY_FILE"),
            "{error}"
        );
    }
}

#[test]
fn keys_are_not_shown_for_debugging() {
    let keys = Keys::parse(Path::new("/keys"), ONES).unwrap();
    let shown = format!("{keys:?}");
    assert!(
        shown.contains("/keys") && !shown.contains("1111"),
        "{shown}"
    );
}
