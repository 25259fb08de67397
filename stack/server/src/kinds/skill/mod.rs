//! Skills: an archive that is pushed, and what its `SKILL.md` says. Every push is kept as a version.

mod archive;

#[cfg(test)]
mod tests;

use stigmer_api::{
    ApiResourceMetadata, ApiResourceReference, Resource,
    skill::{GetArtifactRequest, GetArtifactResponse, PushSkillRequest, Skill, SkillState},
};

use super::Kind;
use crate::{
    artifacts,
    pipeline::{AtStep as _, Cause, StepError, steps},
    state::State,
    store::{Rows, Tx, Version},
};

impl Kind for Skill {
    fn deleted(&self, tx: &Tx<'_>) -> Result<(), StepError> {
        tx.delete_versions::<Skill>(self.id()).at("DeleteVersions")
    }
}

/// Stores a skill from its archive: a new one, or a new version of the one with its name. A push that
/// changes nothing leaves the skill as it is.
pub async fn push(state: &State, request: PushSkillRequest) -> Result<Skill, StepError> {
    steps::validate_constraints(&request)?;
    let content = request.artifact.clone();
    let skill_md = archive::read_skill_md(content)
        .await
        .map_err(|error| Cause::invalid("artifact", error.to_string()))
        .at("ReadArchive")?;
    let mut pushed = as_skill(&request, skill_md);
    steps::resolve_slug(&mut pushed)?;
    let hash = artifacts::hash(&request.artifact);
    state
        .artifacts
        .store_skill(&hash, request.artifact)
        .await
        .map_err(|error| Cause::Internal(error.to_string()))
        .at("StoreArtifact")?;
    state.store.write(move |tx| save(tx, pushed, &hash)).await
}

fn as_skill(request: &PushSkillRequest, skill_md: String) -> Skill {
    let mut skill = Skill::envelope();
    skill.metadata = Some(ApiResourceMetadata {
        name: request.name.clone(),
        org: request.org.clone(),
        owner_scope: request.scope,
        ..Default::default()
    });
    let spec = skill.spec.get_or_insert_default();
    spec.skill_md = skill_md;
    spec.tag.clone_from(&request.tag);
    skill
}

fn save(tx: &Tx<'_>, pushed: Skill, hash: &str) -> Result<Skill, StepError> {
    let mut skill = match steps::load_for_apply(tx, &pushed)? {
        None => {
            let mut created = pushed;
            steps::build_new_state(&mut created)?;
            created
        }
        Some(stored) => {
            let known = stored
                .status
                .as_ref()
                .is_some_and(|status| status.version_hash == hash);
            if known && stored.spec == pushed.spec && stored.name() == pushed.name() {
                return Ok(stored);
            }
            let mut updated = stored;
            updated.metadata_mut().name = pushed.name().to_owned();
            updated.spec = pushed.spec;
            steps::touch(&mut updated);
            updated
        }
    };
    let status = skill.status.get_or_insert_default();
    hash.clone_into(&mut status.version_hash);
    status.artifact_storage_key = artifacts::skill_key(hash);
    status.set_state(SkillState::Ready);
    let tag = skill.spec.as_ref().map_or("", |spec| &spec.tag);
    tx.archive(&skill, hash, tag).at("ArchiveVersion")?;
    steps::persist(tx, &skill)?;
    Ok(skill)
}

/// The skill that a reference means, in the version that it asks for: none or `latest`, a content
/// hash, or a tag.
pub async fn get_by_reference(
    state: &State,
    reference: ApiResourceReference,
) -> Result<Skill, StepError> {
    steps::validate_constraints(&reference)?;
    state
        .store
        .read(move |rows| load_version(rows, &reference))
        .await
}

fn load_version(rows: &Rows<'_>, reference: &ApiResourceReference) -> Result<Skill, StepError> {
    const STEP: &str = "LoadByReference";
    // Which kind a reference to a skill names was never checked.
    let any_kind = ApiResourceReference {
        kind: 0,
        ..reference.clone()
    };
    let current: Skill = steps::load_by_reference(rows, &any_kind)?;
    let version = match reference.version.trim() {
        "" | "latest" => return Ok(current),
        hash if is_hash(hash) => Version::Hash(hash),
        tag => Version::Tag(tag),
    };
    if is_version(&current, version) {
        return Ok(current);
    }
    rows.load_version(current.id(), version)
        .at(STEP)?
        .ok_or_else(|| {
            steps::not_found::<Skill>(&format!(
                "{} in version {}",
                reference.slug, reference.version
            ))
        })
        .at(STEP)
}

fn is_version(skill: &Skill, version: Version<'_>) -> bool {
    match version {
        Version::Hash(hash) => skill
            .status
            .as_ref()
            .is_some_and(|status| status.version_hash == hash),
        Version::Tag(tag) => skill.spec.as_ref().is_some_and(|spec| spec.tag == tag),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The archive with a storage key.
pub async fn get_artifact(
    state: &State,
    request: GetArtifactRequest,
) -> Result<GetArtifactResponse, StepError> {
    const STEP: &str = "LoadArtifact";
    steps::validate_constraints(&request)?;
    let key = request.artifact_storage_key;
    let content = state
        .artifacts
        .read(&key)
        .await
        .map_err(|error| Cause::Internal(error.to_string()))
        .at(STEP)?;
    let artifact = content
        .ok_or(Cause::NotFound {
            kind: "artifact",
            what: key,
        })
        .at(STEP)?;
    Ok(GetArtifactResponse { artifact })
}
