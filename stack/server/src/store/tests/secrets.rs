use std::{collections::HashMap, fs};

use stigmer_api::execution_context::ExecutionValue;
use stigmer_cipher::Keys;

use super::*;

const MARKER: &str = "a-secret-nobody-may-find";

fn keys(folder: &TempDir, name: &str) -> Keys {
    Keys::load_or_create(&folder.path().join(name)).expect("a key file is made")
}

fn execution() -> AgentExecution {
    let value = |value: &str, is_secret| ExecutionValue {
        value: value.to_owned(),
        is_secret,
    };
    let mut execution = AgentExecution::envelope();
    execution.metadata_mut().id = new_id(ApiResourceKind::AgentExecution);
    execution.spec = Some(AgentExecutionSpec {
        runtime_env: HashMap::from([
            ("TOKEN".to_owned(), value(MARKER, true)),
            ("EMPTY".to_owned(), value("", true)),
            ("REGION".to_owned(), value("open-to-all", false)),
        ]),
        ..Default::default()
    });
    execution
}

async fn saved(store: &Store, execution: &AgentExecution) {
    let execution = execution.clone();
    store
        .write(move |tx| tx.save(&execution))
        .await
        .expect("it is stored");
}

async fn token(store: &Store, id: &str) -> String {
    let id = id.to_owned();
    let read = store
        .read(move |rows| rows.load::<AgentExecution>(&id))
        .await;
    let execution = read.expect("it is read").expect("it is there");
    execution.spec.unwrap().runtime_env["TOKEN"].value.clone()
}

fn file_holds(path: &Utf8Path, text: &str) -> bool {
    let folder = path.parent().expect("the file is in a folder");
    let files = fs::read_dir(folder).expect("the folder is read");
    files.into_iter().any(|file| {
        let bytes = fs::read(file.expect("an entry").path()).expect("the file is read");
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[tokio::test]
async fn secrets_are_sealed_in_the_file_and_read_back_whole() {
    let (folder, path) = folder();
    let vault = Vault::new(Some(keys(&folder, "key")), true);
    let store = Store::open(&path, vault, Vec::new()).unwrap();
    let execution = execution();
    // Twice: what was read is stored again with every change.
    for _ in 0..2 {
        saved(&store, &execution).await;
        let id = execution.id().to_owned();
        let read = store
            .read(move |rows| rows.load::<AgentExecution>(&id))
            .await;
        assert_eq!(read.unwrap().as_ref(), Some(&execution));
    }
    assert!(!file_holds(&path, MARKER));
    assert!(file_holds(&path, "open-to-all"));
}

#[tokio::test]
async fn with_another_key_a_secret_stays_sealed_and_nothing_else_is_lost() {
    let (folder, path) = folder();
    let sealed_with = async |name: &str, seals| {
        let vault = Vault::new(Some(keys(&folder, name)), seals);
        Store::open(&path, vault, Vec::new()).unwrap()
    };
    let execution = execution();
    saved(&sealed_with("key", true).await, &execution).await;
    let other = sealed_with("other-key", true).await;
    let read = token(&other, execution.id()).await;
    assert!(is_sealed(&read), "{read}");
    // Stored again, it is still what the first key opens.
    let mut unread = execution.clone();
    let env = &mut unread.spec.as_mut().unwrap().runtime_env;
    env.get_mut("TOKEN").unwrap().value = read;
    saved(&other, &unread).await;
    let reading = sealed_with("key", false).await;
    assert_eq!(token(&reading, execution.id()).await, MARKER);
}

#[tokio::test]
async fn without_sealing_values_are_stored_as_they_are() {
    let (_folder, path) = folder();
    let store = open(&path);
    let execution = execution();
    saved(&store, &execution).await;
    assert_eq!(token(&store, execution.id()).await, MARKER);
    assert!(file_holds(&path, MARKER));
}
