use std::io::{Cursor, Write as _};

use stigmer_api::skill::SkillId;
use tonic::{Code, Status};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{requests, testing::TestState};

fn request(text: &str, tag: &str) -> PushSkillRequest {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("SKILL.md", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    PushSkillRequest {
        name: "Code Review".to_owned(),
        scope: 2,
        org: "local".to_owned(),
        artifact: writer.finish().unwrap().into_inner(),
        tag: tag.to_owned(),
    }
}

fn hash_of(skill: &Skill) -> String {
    skill
        .status
        .as_ref()
        .expect("a skill has a status")
        .version_hash
        .clone()
}

async fn by_version(state: &State, version: &str) -> Result<Skill, StepError> {
    let reference = ApiResourceReference {
        slug: "code-review".to_owned(),
        org: "local".to_owned(),
        version: version.to_owned(),
        ..Default::default()
    };
    get_by_reference(state, reference).await
}

fn code<T: std::fmt::Debug>(result: Result<T, StepError>) -> Code {
    Status::from(result.expect_err("it is refused")).code()
}

#[tokio::test]
async fn a_pushed_skill_has_its_text_its_archive_and_its_hash() {
    let TestState { state, .. } = &TestState::new();
    let request = request("# Review", "v1");
    let skill = push(state, request.clone()).await.unwrap();
    assert_eq!(
        (skill.slug(), skill.spec.as_ref().unwrap().skill_md.as_str()),
        ("code-review", "# Review")
    );
    let status = skill.status.as_ref().unwrap();
    assert_eq!(status.version_hash, artifacts::hash(&request.artifact));
    assert_eq!(status.state(), SkillState::Ready);
    let key = GetArtifactRequest {
        artifact_storage_key: status.artifact_storage_key.clone(),
    };
    assert_eq!(
        get_artifact(state, key).await.unwrap().artifact,
        request.artifact
    );
    assert_eq!(
        requests::get::<Skill>(
            state,
            SkillId {
                value: skill.id().to_owned()
            }
        )
        .await
        .unwrap(),
        skill
    );
}

#[tokio::test]
async fn a_push_of_the_same_name_is_a_new_version_of_the_same_skill() {
    let TestState { state, .. } = &TestState::new();
    let first = push(state, request("one", "stable")).await.unwrap();
    assert_eq!(
        push(state, request("one", "stable")).await.unwrap(),
        first,
        "nothing changed"
    );
    let second = push(state, request("two", "")).await.unwrap();
    assert_eq!(second.id(), first.id());
    let created = |skill: &Skill| {
        skill
            .audit()
            .unwrap()
            .spec_audit
            .as_ref()
            .unwrap()
            .created_at
    };
    assert_eq!(created(&second), created(&first));

    for (version, skill) in [
        ("", &second),
        ("latest", &second),
        (hash_of(&second).as_str(), &second),
        (hash_of(&first).as_str(), &first),
        ("stable", &first),
    ] {
        assert_eq!(
            by_version(state, version).await.unwrap(),
            *skill,
            "{version:?}"
        );
    }
    assert_eq!(code(by_version(state, "unknown").await), Code::NotFound);
    assert_eq!(
        code(by_version(state, &"0".repeat(64)).await),
        Code::NotFound
    );
}

#[tokio::test]
async fn the_same_name_in_another_org_is_another_skill() {
    let TestState { state, .. } = &TestState::new();
    let mine = push(state, request("mine", "")).await.unwrap();
    let theirs = push(
        state,
        PushSkillRequest {
            org: "acme".to_owned(),
            ..request("theirs", "")
        },
    )
    .await;
    assert_ne!(theirs.unwrap().id(), mine.id());
    assert_eq!(by_version(state, "").await.unwrap(), mine);
}

#[tokio::test]
async fn deleting_a_skill_deletes_its_versions() {
    let TestState { state, .. } = &TestState::new();
    let first = push(state, request("one", "stable")).await.unwrap();
    push(state, request("two", "")).await.unwrap();
    requests::delete::<Skill>(
        state,
        SkillId {
            value: first.id().to_owned(),
        },
    )
    .await
    .unwrap();
    push(state, request("three", "")).await.unwrap();
    assert_eq!(code(by_version(state, "stable").await), Code::NotFound);
    assert_eq!(
        code(by_version(state, &hash_of(&first)).await),
        Code::NotFound
    );
}

#[tokio::test]
async fn what_cannot_be_a_skill_is_refused() {
    let TestState { state, .. } = &TestState::new();
    let bad = PushSkillRequest {
        artifact: b"no zip".to_vec(),
        ..request("", "")
    };
    assert_eq!(code(push(state, bad).await), Code::InvalidArgument);
    let nameless = PushSkillRequest {
        name: "!!!".to_owned(),
        ..request("text", "")
    };
    assert_eq!(code(push(state, nameless).await), Code::InvalidArgument);
    for key in ["../stigmer.db", "skills/../../stigmer.db", "skills/x.zip"] {
        let request = GetArtifactRequest {
            artifact_storage_key: key.to_owned(),
        };
        assert_eq!(
            code(get_artifact(state, request).await),
            Code::NotFound,
            "{key}"
        );
    }
}
