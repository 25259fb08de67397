//! Loading skills from a source that has some of them.

use std::{fs, sync::Arc};

use stigmer_api::{
    ApiResourceMetadata,
    skill::{SkillSpec, SkillStatus},
};
use tonic::Status;

use super::{unpack::tests::archive, *};

/// Has one skill, `review`, with or without its archive.
struct Shelf {
    archive: Option<Vec<u8>>,
    hash: String,
}

fn error(status: Status) -> ServerError {
    ServerError {
        what: "get it".to_owned(),
        address: Arc::from("nowhere:1"),
        status: Box::new(status),
    }
}

impl SkillSource for Shelf {
    async fn skill(&self, reference: &ApiResourceReference) -> Result<SkillRecord, ServerError> {
        match reference.slug.as_str() {
            "review" => Ok(SkillRecord {
                metadata: Some(ApiResourceMetadata {
                    name: "Review".to_owned(),
                    ..Default::default()
                }),
                spec: Some(SkillSpec {
                    skill_md: "# Look closely\n".to_owned(),
                    ..Default::default()
                }),
                status: Some(SkillStatus {
                    version_hash: self.hash.clone(),
                    artifact_storage_key: format!("skills/{}.zip", self.hash),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            "broken" => Err(error(Status::internal("no disk"))),
            _ => Err(error(Status::not_found("none"))),
        }
    }

    async fn artifact(&self, key: &str) -> Result<Vec<u8>, ServerError> {
        assert_eq!(key, format!("skills/{}.zip", self.hash));
        self.archive
            .clone()
            .ok_or_else(|| error(Status::not_found("gone")))
    }
}

fn reference(slug: &str, version: &str) -> ApiResourceReference {
    ApiResourceReference {
        slug: slug.to_owned(),
        version: version.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_there_is_told_and_what_is_missing_is_named() {
    let (bytes, hash) = archive(&[("SKILL.md", "# Look closely\n"), ("a.sh", "true")]);
    let shelf = Shelf {
        archive: Some(bytes),
        hash: hash.clone(),
    };
    let workspace = tempfile::tempdir().unwrap();
    let wanted = [
        reference("review", ""),
        reference("review", "v2"),
        reference("nowhere", "v1"),
        reference("broken", ""),
    ];
    let (library, warnings) = Library::load(&shelf, &wanted, workspace.path()).await;
    assert_eq!(
        warnings,
        [
            "the skill \"broken\" is not available: failed to get it at the stigmer-server nowhere:1: Internal: no disk",
            "the skill \"nowhere\" (version v1) is not available: the server has no such skill; push it with `stigmer skill push`",
        ]
    );
    let section = library.of(&wanted[..1]).unwrap();
    assert_eq!(
        section,
        format!(
            "## Available Skills\n\n### SKILL: Review\nLOCATION: /bin/skills/{hash}/\n\n# Look closely"
        )
    );
    assert!(
        workspace
            .path()
            .join(FOLDER)
            .join(&hash)
            .join("a.sh")
            .is_file()
    );
    assert_eq!(library.of(&wanted[2..]), None);
}

#[tokio::test]
async fn a_skill_whose_archive_is_gone_still_has_its_text() {
    let shelf = Shelf {
        archive: None,
        hash: "ab".repeat(32),
    };
    let workspace = tempfile::tempdir().unwrap();
    let (library, warnings) =
        Library::load(&shelf, &[reference("review", "")], workspace.path()).await;
    assert!(warnings.is_empty() && library.of(&[reference("review", "")]).is_some());
    let file = workspace
        .path()
        .join(FOLDER)
        .join(&shelf.hash)
        .join("SKILL.md");
    assert_eq!(fs::read_to_string(file).unwrap(), "# Look closely\n");
}

#[tokio::test]
async fn a_version_that_is_no_hash_names_no_folder() {
    let shelf = Shelf {
        archive: None,
        hash: "../../elsewhere".to_owned(),
    };
    let workspace = tempfile::tempdir().unwrap();
    let (_, warnings) = Library::load(&shelf, &[reference("review", "")], workspace.path()).await;
    assert!(warnings[0].contains("is no SHA-256"), "{warnings:?}");
}
