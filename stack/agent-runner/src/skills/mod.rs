//! The skills of an agent: found by reference, unpacked into the execution's workspace, and told to
//! the model.

mod read;
mod unpack;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use futures::{StreamExt, stream};
use stigmer_api::{ApiResourceReference, skill::Skill as SkillRecord};
use tonic::Code;

use stigmer_runner::ServerError;

pub use self::read::ReadSkillFile;
use self::unpack::UnpackError;

/// Where skills are, in the workspace.
const FOLDER: &str = "bin/skills";

/// How many skills are fetched at a time.
const AT_ONCE: usize = 4;

/// Where skills come from.
pub trait SkillSource: Sync {
    /// The skill that a reference means.
    fn skill(
        &self,
        reference: &ApiResourceReference,
    ) -> impl Future<Output = Result<SkillRecord, ServerError>> + Send;

    /// The archive of a skill.
    fn artifact(&self, key: &str) -> impl Future<Output = Result<Vec<u8>, ServerError>> + Send;
}

/// A skill that the agent has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Its name.
    pub name: String,
    /// Where its files are, as the model calls the place.
    pub location: String,
    /// Its SKILL.md.
    pub text: String,
}

/// Skills by what refers to them.
#[derive(Debug, Default)]
pub struct Library(BTreeMap<Key, Skill>);

type Key = (i32, String, String, String);

#[derive(Debug, thiserror::Error)]
enum SkillError {
    #[error("the server has no such skill; push it with `stigmer skill push`")]
    NotFound,
    #[error(transparent)]
    Backend(#[from] ServerError),
    #[error("its version {0:?} is no SHA-256; push it again")]
    Version(String),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

impl Library {
    /// Fetches what `references` mean and unpacks it in `workspace`. Gives a line for people for each
    /// skill that the agent has to do without.
    pub async fn load(
        source: &impl SkillSource,
        references: impl IntoIterator<Item = &ApiResourceReference>,
        workspace: &Path,
    ) -> (Self, Vec<String>) {
        let references = references
            .into_iter()
            .map(|reference| (key(reference), reference))
            .collect::<BTreeMap<_, _>>();
        let fetching = references
            .values()
            .map(|reference| fetch(source, reference, workspace))
            .collect::<Vec<_>>();
        let mut fetched = stream::iter(fetching).buffered(AT_ONCE);
        let (mut library, mut warnings) = (Self::default(), Vec::new());
        for (key, reference) in &references {
            // One comes for each reference, in their order.
            let Some(skill) = fetched.next().await else {
                break;
            };
            match skill {
                Ok(skill) => {
                    library.0.insert(key.clone(), skill);
                }
                Err(error) => warnings.push(format!(
                    "the skill {} is not available: {error}",
                    described(reference)
                )),
            }
        }
        (library, warnings)
    }

    /// The skills of an agent with these references, in their order, as a section of its instructions
    /// and the tool that reads their files; nothing when there are none.
    pub fn of(&self, references: &[ApiResourceReference]) -> Option<String> {
        let skills = references
            .iter()
            .filter_map(|reference| self.0.get(&key(reference)));
        section(&skills.collect::<Vec<_>>())
    }
}

fn section(skills: &[&Skill]) -> Option<String> {
    if skills.is_empty() {
        return None;
    }
    let mut section = "## Available Skills".to_owned();
    for Skill {
        name,
        location,
        text,
    } in skills
    {
        // Writing to a String cannot fail.
        let _ = write!(
            section,
            "\n\n### SKILL: {name}\nLOCATION: {location}\n\n{}",
            text.trim()
        );
    }
    Some(section)
}

async fn fetch(
    source: &impl SkillSource,
    reference: &ApiResourceReference,
    workspace: &Path,
) -> Result<Skill, SkillError> {
    let record = source
        .skill(reference)
        .await
        .map_err(|error| match error.status.code() {
            Code::NotFound => SkillError::NotFound,
            _ => error.into(),
        })?;
    let (spec, status) = (
        record.spec.unwrap_or_default(),
        record.status.unwrap_or_default(),
    );
    let hash = status.version_hash;
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(SkillError::Version(hash));
    }
    let archive = match source.artifact(&status.artifact_storage_key).await {
        Ok(archive) => Some(archive),
        // What the record holds of it is better than nothing.
        Err(error) if error.status.code() == Code::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let folder = workspace.join(FOLDER).join(&hash);
    unpack::into(folder, hash.clone(), archive, spec.skill_md.clone()).await?;
    let metadata = record.metadata.unwrap_or_default();
    Ok(Skill {
        name: if metadata.name.is_empty() {
            reference.slug.clone()
        } else {
            metadata.name
        },
        location: format!("/{FOLDER}/{hash}/"),
        text: spec.skill_md,
    })
}

fn key(reference: &ApiResourceReference) -> Key {
    let ApiResourceReference {
        scope,
        org,
        slug,
        version,
        ..
    } = reference.clone();
    (scope, org, slug, version)
}

/// `"slug" (org acme, version v2)`.
fn described(reference: &ApiResourceReference) -> String {
    let parts = [("org", &reference.org), ("version", &reference.version)];
    let parts = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(what, value)| format!("{what} {value}"))
        .collect::<Vec<_>>();
    match parts.is_empty() {
        true => format!("{:?}", reference.slug),
        false => format!("{:?} ({})", reference.slug, parts.join(", ")),
    }
}

#[cfg(test)]
mod tests;
