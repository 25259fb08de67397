//! Skills: pushed instead of applied, and read by version.

use stigmer_api::{
    ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG,
    skill::{GetArtifactRequest, GetArtifactResponse, PushSkillRequest, Skill},
};

use super::{Answer, Api, path};

impl Api {
    /// Pushes the archive `artifact` as a skill of org `local`.
    pub async fn push_skill(&self, name: &str, artifact: Vec<u8>, tag: &str) -> Answer<Skill> {
        let request = PushSkillRequest {
            name: name.to_owned(),
            scope: ApiResourceOwnerScope::Organization as i32,
            org: LOCAL_ORG.to_owned(),
            artifact,
            tag: tag.to_owned(),
        };
        self.0.unary(path::command::<Skill>("push"), request).await
    }

    /// The skill with `slug` of org `local` in `version`: a tag, a content hash, or nothing for the
    /// latest.
    pub async fn skill(&self, slug: &str, version: &str) -> Answer<Skill> {
        let reference = ApiResourceReference {
            scope: ApiResourceOwnerScope::Organization as i32,
            org: LOCAL_ORG.to_owned(),
            kind: ApiResourceKind::Skill as i32,
            slug: slug.to_owned(),
            version: version.to_owned(),
        };
        self.0
            .unary(path::query::<Skill>("getByReference"), reference)
            .await
    }

    /// The archive with a storage key.
    pub async fn artifact(&self, storage_key: &str) -> Answer<Vec<u8>> {
        let request = GetArtifactRequest {
            artifact_storage_key: storage_key.to_owned(),
        };
        let found: GetArtifactResponse = self
            .0
            .unary(path::query::<Skill>("getArtifact"), request)
            .await?;
        Ok(found.artifact)
    }
}
