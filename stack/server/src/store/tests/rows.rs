use std::sync::Mutex;

use super::*;

#[tokio::test]
async fn what_is_written_is_there_after_a_restart_byte_for_byte() {
    let (_folder, path) = folder();
    let mut resource = agent("emoji", "local", 2);
    resource.spec.get_or_insert_default().instructions = "🙂 שלום\r\n\t\0 line".repeat(5000);
    let written = save(&open(&path), resource).await;
    let id = written.id().to_owned();
    let read: Option<Agent> = open(&path).read(move |rows| rows.load(&id)).await.unwrap();
    assert_eq!(read, Some(written));
}

#[tokio::test]
async fn a_failed_write_leaves_nothing_and_tells_nobody() {
    let (_folder, path) = folder();
    let recorder = Arc::new(Recorder::default());
    let store = Store::open(&path, Vault::default(), vec![recorder.clone()]).unwrap();
    let resource = agent("a", "local", 2);
    let id = resource.id().to_owned();
    let failed: Result<(), StoreError> = store
        .write(move |tx| {
            tx.save(&resource)?;
            tx.load::<Agent>(resource.id())?
                .expect("it sees its own write");
            Err(StoreError::Sqlite {
                path: String::new(),
                cause: rusqlite::Error::InvalidQuery,
            })
        })
        .await;
    assert!(failed.is_err());
    let read: Option<Agent> = store.read(move |rows| rows.load(&id)).await.unwrap();
    assert_eq!(read, None);
    assert_eq!(recorder.seen(), Vec::<String>::new());
}

#[derive(Default)]
struct Recorder {
    changes: Mutex<Vec<String>>,
}

impl Recorder {
    fn seen(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }
}

impl CommitObserver for Recorder {
    fn committed(&self, changes: &[Change]) {
        let mut seen = self.changes.lock().unwrap();
        seen.extend(changes.iter().map(|change| {
            let what = if change.data.is_some() {
                "saved"
            } else {
                "deleted"
            };
            format!("{} {} {what}", change.kind.as_str_name(), change.id)
        }));
    }
}

#[tokio::test]
async fn observers_hear_of_every_commit_in_order() {
    let (_folder, path) = folder();
    let recorder = Arc::new(Recorder::default());
    let store = Store::open(&path, Vault::default(), vec![recorder.clone()]).unwrap();
    let saved = save(&store, agent("a", "local", 2)).await;
    let id = saved.id().to_owned();
    store
        .write({
            let id = id.clone();
            move |tx| tx.delete::<Agent>(&id)
        })
        .await
        .unwrap();
    assert_eq!(
        recorder.seen(),
        [format!("agent {id} saved"), format!("agent {id} deleted")]
    );
}

#[tokio::test]
async fn slugs_are_found_within_org_and_scope_and_a_reference_prefers_its_scope() {
    let (_folder, path) = folder();
    let store = open(&path);
    // Chosen ids: those of one millisecond come in any order.
    let numbered = |id: &str, org: &str, scope: i32| {
        let mut agent = agent("reviewer", org, scope);
        id.clone_into(&mut agent.metadata_mut().id);
        save(&store, agent)
    };
    let platform = numbered("agt-1", "", 1).await;
    let mine = numbered("agt-2", "local", 2).await;
    let other = numbered("agt-3", "acme", 2).await;
    store
        .read(move |rows| {
            assert_eq!(rows.find("local", 2, "reviewer")?, Some(mine.clone()));
            assert_eq!(rows.find::<Agent>("local", 1, "reviewer")?, None);
            assert_eq!(
                rows.find::<Session>("local", 2, "reviewer")?,
                None,
                "another kind"
            );
            assert_eq!(rows.resolve("acme", 0, "reviewer")?, Some(other));
            assert_eq!(
                rows.resolve("", 0, "reviewer")?,
                Some(platform.clone()),
                "the first in id order"
            );
            assert_eq!(rows.resolve("", 2, "reviewer")?, Some(mine));
            assert_eq!(
                rows.resolve("", 3, "reviewer")?,
                Some(platform),
                "no scope excludes a match"
            );
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn pages_cover_every_row_once_in_id_order() {
    let (_folder, path) = folder();
    let store = open(&path);
    let mut all = Vec::new();
    for _ in 0..25 {
        all.push(save(&store, session("ain-1", &[])).await.id().to_owned());
    }
    all.sort();
    let (mut seen, mut last) = (Vec::new(), String::new());
    loop {
        let page = Page {
            start: Start::After(last.clone()),
            size: 10,
        };
        let listing = list::<Session>(
            &store,
            Query {
                page,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(listing.total, 25);
        let Some(end) = listing.rows.last() else {
            break;
        };
        end.id().clone_into(&mut last);
        seen.extend(ids(&listing));
    }
    assert_eq!(seen, all);

    let page = Page {
        start: Start::Offset(20),
        size: 10,
    };
    let listing = list::<Session>(
        &store,
        Query {
            page,
            ..Query::default()
        },
    )
    .await;
    assert_eq!(ids(&listing), all[20..]);
}

#[tokio::test]
async fn a_page_ends_before_it_outgrows_a_message_and_the_next_goes_on() {
    let (_folder, path) = folder();
    let store = open(&path);
    for _ in 0..5 {
        let mut execution = AgentExecution::envelope();
        execution.metadata_mut().id = new_id(ApiResourceKind::AgentExecution);
        execution.spec = Some(AgentExecutionSpec {
            message: "x".repeat(3 << 20),
            ..Default::default()
        });
        save(&store, execution).await;
    }
    let first = list::<AgentExecution>(&store, Query::default()).await;
    assert_eq!((first.rows.len(), first.total), (2, 5));
    let after = first.rows[1].id().to_owned();
    let page = Page {
        start: Start::After(after.clone()),
        size: 100,
    };
    let second = list::<AgentExecution>(
        &store,
        Query {
            page,
            ..Query::default()
        },
    )
    .await;
    assert_eq!(second.rows.len(), 2);
    assert!(second.rows[0].id() > after.as_str());
}

#[tokio::test]
async fn lists_filter_by_relation_and_by_all_tags() {
    let (_folder, path) = folder();
    let store = open(&path);
    let mut instance = stigmer_api::agent_instance::AgentInstance::envelope();
    instance.metadata_mut().id = new_id(ApiResourceKind::AgentInstance);
    instance.spec.get_or_insert_default().agent_id = "agt-1".to_owned();
    let instance = save(&store, instance).await.id().to_owned();
    let mine = save(&store, session(&instance, &["a", "b"]))
        .await
        .id()
        .to_owned();
    let others = save(&store, session("ain-2", &["a", "b\"c"]))
        .await
        .id()
        .to_owned();

    let of = |id: &str| Relation::DescendantOf {
        id: id.to_owned(),
        through: ApiResourceKind::AgentInstance,
    };
    for (relation, expected) in [
        (of("agt-1"), vec![mine.clone()]),
        (of(&instance), vec![mine.clone()]),
        (of("agt-2"), vec![]),
        (Relation::ChildOf("ain-2".to_owned()), vec![others.clone()]),
        (Relation::ChildOf("agt-1".to_owned()), vec![]),
    ] {
        let listing = list::<Session>(
            &store,
            Query {
                relation,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(ids(&listing), expected);
    }
    for (tags, expected) in [
        (vec!["a"], 2),
        (vec!["a", "b"], 1),
        (vec!["b\"c"], 1),
        (vec!["c"], 0),
    ] {
        let tags = tags.into_iter().map(str::to_owned).collect();
        let listing = list::<Session>(
            &store,
            Query {
                tags,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(listing.total, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_read_modify_writes_lose_nothing() {
    let (_folder, path) = folder();
    let store = open(&path);
    let id = save(&store, session("ain-1", &[])).await.id().to_owned();
    let tasks = (0..50).map(|number| {
        let (store, id) = (store.clone(), id.clone());
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    let mut session: Session = tx.load(&id)?.expect("it was saved");
                    session.metadata_mut().tags.push(number.to_string());
                    tx.save(&session)
                })
                .await
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap().unwrap();
    }
    let read: Session = store
        .read(move |rows| rows.load(&id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.metadata().unwrap().tags.len(), 50);
}
