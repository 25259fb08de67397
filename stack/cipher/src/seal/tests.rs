use std::path::Path;

use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn keys(folder: &Path, name: &str) -> Keys {
    Keys::load_or_create(&folder.join(name)).expect("a key file")
}

#[test]
fn what_is_sealed_is_hidden_and_comes_back() {
    let folder = folder();
    let keys = keys(folder.path(), "key");
    let sealed = keys.seal(b"tok-12345678").unwrap();
    assert!(!String::from_utf8_lossy(&sealed.data).contains("tok"));
    assert_eq!(
        keys.open(&sealed.key_id, &sealed.data).unwrap(),
        b"tok-12345678"
    );
}

#[test]
fn nothing_can_be_sealed_too() {
    let folder = folder();
    let keys = keys(folder.path(), "key");
    let sealed = keys.seal(b"").unwrap();
    assert_eq!(keys.open(&sealed.key_id, &sealed.data).unwrap(), b"");
}

#[test]
fn equal_texts_are_not_seen_to_be_equal() {
    let folder = folder();
    let keys = keys(folder.path(), "key");
    assert_ne!(keys.seal(b"1").unwrap(), keys.seal(b"1").unwrap());
}

#[test]
fn an_older_key_still_opens_after_a_new_one_is_put_first() {
    let folder = folder();
    let old = keys(folder.path(), "key");
    let newer = keys(folder.path(), "newer");
    let lines = [&newer, &old].map(|keys| std::fs::read_to_string(keys.file()).unwrap());
    std::fs::write(old.file(), lines.concat()).unwrap();
    let both = Keys::load(old.file()).unwrap();
    let sealed = old.seal(b"1").unwrap();
    assert_eq!(both.open(&sealed.key_id, &sealed.data).unwrap(), b"1");
    assert_eq!(both.seal(b"2").unwrap().key_id, newer.ids());
}

#[test]
fn another_key_is_an_error_naming_the_file_and_both_ids() {
    let folder = folder();
    let (here, there) = (keys(folder.path(), "here"), keys(folder.path(), "there"));
    let sealed = there.seal(b"1").unwrap();
    let error = here
        .open(&sealed.key_id, &sealed.data)
        .unwrap_err()
        .to_string();
    for part in [
        here.file().display().to_string(),
        here.ids(),
        there.ids(),
        "STIGMER_PAYLOAD_KEY_FILE".to_owned(),
    ] {
        assert!(error.contains(&part), "{part:?} is missing in {error:?}");
    }
}

#[test]
fn what_was_changed_or_cut_off_is_noticed() {
    let folder = folder();
    let keys = keys(folder.path(), "key");
    let Sealed { key_id, data } = keys.seal(b"1").unwrap();
    for place in 0..data.len() {
        let mut flipped = data.clone();
        flipped[place] ^= 1;
        let error = keys.open(&key_id, &flipped).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "byte {place}");
        assert!(keys.open(&key_id, &data[..place]).is_err(), "{place} bytes");
    }
}
