//! The folder in which a program leaves its resources.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_api::{
    MAX_MESSAGE_BYTES, Resource,
    agent::Agent,
    skill::Skill,
    validate::{Violations, validate},
    workflow::Workflow,
};

const DEPENDENCIES: &str = "dependencies.json";

/// What is wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("failed to read {path}")]
    Read {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("failed to empty {path}")]
    Empty {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("{0} is not a file of the protocol (agent-<n>.pb, workflow-<n>.pb, skill-<n>.pb)")]
    UnknownFile(Utf8PathBuf),
    #[error("failed to unmarshal {path}: {reason}")]
    Damaged { path: Utf8PathBuf, reason: String },
    #[error("{path} holds a second {kind} named '{name}'")]
    Duplicate {
        path: Utf8PathBuf,
        kind: &'static str,
        name: String,
    },
    #[error("failed to parse dependencies.json: {reason} (in {path})")]
    Dependencies { path: Utf8PathBuf, reason: String },
    #[error("no resources found in synthesis output ({0})")]
    Nothing(Utf8PathBuf),
}

/// What a program described, each kind in the order in which it did.
#[derive(Debug, Default)]
pub struct Resources {
    pub skills: Vec<Skill>,
    pub agents: Vec<Agent>,
    pub workflows: Vec<Workflow>,
}

impl Resources {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.skills.len() + self.agents.len() + self.workflows.len()
    }
}

/// Removes what earlier programs left in `dir`, and nothing else.
pub fn empty(dir: &Utf8Path) -> Result<(), OutputError> {
    for name in names(dir)? {
        if name.ends_with(".pb")
            || name == DEPENDENCIES
            || (name.starts_with('.') && name.ends_with(".part"))
        {
            let path = dir.join(name);
            fs::remove_file(&path).map_err(|source| OutputError::Empty { path, source })?;
        }
    }
    Ok(())
}

/// Reads everything in `dir`.
pub fn read(dir: &Utf8Path) -> Result<Resources, OutputError> {
    let mut files = BTreeMap::new();
    for name in names(dir)?.into_iter().filter(|name| name.ends_with(".pb")) {
        let (kind, number) =
            parse_name(&name).ok_or_else(|| OutputError::UnknownFile(dir.join(&name)))?;
        files.insert((kind, number), dir.join(name));
    }
    check_dependencies(&dir.join(DEPENDENCIES))?;
    let resources = Resources {
        skills: read_kind(&files, "skill", has_spec_skill)?,
        agents: read_kind(&files, "agent", has_spec_agent)?,
        workflows: read_kind(&files, "workflow", has_spec_workflow)?,
    };
    match resources.len() {
        0 => Err(OutputError::Nothing(dir.to_owned())),
        _ => Ok(resources),
    }
}

/// `agent-10.pb` as `("agent", 10)`.
fn parse_name(name: &str) -> Option<(&'static str, u64)> {
    let (kind, number) = name.strip_suffix(".pb")?.split_once('-')?;
    let kind = ["agent", "skill", "workflow"]
        .into_iter()
        .find(|known| *known == kind)?;
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    Some((kind, number.parse().ok().filter(|_| digits)?))
}

/// The files of one kind in the order of their numbers: 2 before 10.
fn read_kind<R: Resource>(
    files: &BTreeMap<(&'static str, u64), Utf8PathBuf>,
    kind: &'static str,
    has_spec: fn(&R) -> bool,
) -> Result<Vec<R>, OutputError> {
    let mut slugs = HashSet::new();
    let mut resources = Vec::new();
    for path in files
        .range((kind, 0)..=(kind, u64::MAX))
        .map(|(_, path)| path)
    {
        let resource = read_resource(path, has_spec)?;
        if !slugs.insert(resource.slug().to_owned()) {
            let name = resource.name().to_owned();
            return Err(OutputError::Duplicate {
                path: path.clone(),
                kind,
                name,
            });
        }
        resources.push(resource);
    }
    Ok(resources)
}

fn read_resource<R: Resource>(path: &Utf8Path, has_spec: fn(&R) -> bool) -> Result<R, OutputError> {
    let read = |source: io::Error| OutputError::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |reason: String| OutputError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let length = fs::metadata(path).map_err(read)?.len();
    if length > MAX_MESSAGE_BYTES as u64 {
        return Err(damaged(format!(
            "{length} bytes are more than the server accepts ({MAX_MESSAGE_BYTES})"
        )));
    }
    parse(&fs::read(path).map_err(read)?, has_spec).map_err(damaged)
}

/// The agent that a program wrote as `bytes`, or what is wrong with them.
pub fn parse_agent(bytes: &[u8]) -> Result<Agent, String> {
    parse(bytes, has_spec_agent)
}

/// The workflow that a program wrote as `bytes`, or what is wrong with them.
pub fn parse_workflow(bytes: &[u8]) -> Result<Workflow, String> {
    parse(bytes, has_spec_workflow)
}

/// Decoding takes almost any bytes, so the rules of the contract decide whether these are a resource.
fn parse<R: Resource>(bytes: &[u8], has_spec: fn(&R) -> bool) -> Result<R, String> {
    let resource = R::decode(bytes).map_err(|e| e.to_string())?;
    let mut broken = match validate(&resource) {
        Ok(()) => Vec::new(),
        Err(Violations(violations)) => violations
            .iter()
            .map(|v| format!("{}: {}", v.path, v.text))
            .collect(),
    };
    if resource.metadata().is_some() && resource.name().is_empty() {
        broken.push("metadata.name: value is required".to_owned());
    }
    if !has_spec(&resource) {
        broken.push("spec: value is required".to_owned());
    }
    match broken.is_empty() {
        true => Ok(resource),
        false => Err(format!(
            "not a valid {}: {}",
            R::kind_name(),
            broken.join("; ")
        )),
    }
}

fn has_spec_skill(skill: &Skill) -> bool {
    skill.spec.is_some()
}

fn has_spec_agent(agent: &Agent) -> bool {
    agent.spec.is_some()
}

fn has_spec_workflow(workflow: &Workflow) -> bool {
    workflow.spec.is_some()
}

/// The file is optional, and deployment does not depend on it; a damaged one still means that
/// something is wrong with the program.
fn check_dependencies(path: &Utf8Path) -> Result<(), OutputError> {
    match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OutputError::Read {
            path: path.to_owned(),
            source,
        }),
        Ok(bytes) => serde_json::from_slice::<BTreeMap<String, Vec<String>>>(&bytes)
            .map(drop)
            .map_err(|e| OutputError::Dependencies {
                path: path.to_owned(),
                reason: e.to_string(),
            }),
    }
}

fn names(dir: &Utf8Path) -> Result<Vec<String>, OutputError> {
    let read = |source: io::Error| OutputError::Read {
        path: dir.to_owned(),
        source,
    };
    dir.read_dir_utf8()
        .map_err(read)?
        .map(|entry| {
            entry
                .map(|entry| entry.file_name().to_owned())
                .map_err(read)
        })
        .collect()
}

#[cfg(test)]
mod tests;
