//! `stigmer skill`: uploading skills.

mod archive;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use stigmer_api::{
    ApiResourceOwnerScope, LOCAL_ORG, MAX_MESSAGE_BYTES, Resource,
    skill::{PushSkillRequest, Skill},
};

use self::archive::Archive;
use super::connect::{or_start_daemon, require_local_backend};
use crate::{
    api::{Api, push_skill},
    cli::{PushArgs, SkillCommand},
    render::{Output, Screen},
};

/// What is left of a message for everything but the archive, in bytes.
const ENVELOPE: usize = 4096;

/// Does what `command` says.
pub async fn execute(command: SkillCommand, out: &Output) -> Result<ExitCode> {
    match command {
        SkillCommand::Push(args) => push(args, out).await,
    }
}

/// What `skill push` did.
#[derive(Debug, Serialize)]
struct PushReport<'a> {
    dry_run: bool,
    directory: &'a str,
    name: &'a str,
    tag: &'a str,
    /// The files of the skill, without what is left out.
    files: usize,
    /// Their size in bytes.
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_storage_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

async fn push(args: PushArgs, out: &Output) -> Result<ExitCode> {
    let screen = out.screen();
    let dir = directory(args.dir.as_deref())?;
    let name = dir
        .file_name()
        .context("the root directory is no skill; name the skill's directory")?;
    screen.info(format!("Pushing skill from: {dir}"));
    let archive = Archive::of(&dir)?;
    if args.dry_run {
        screen.info("Dry run mode - would push skill with:");
        screen.info(format!("  Directory: {dir}"));
        screen.info(format!("  Tag:       {}", args.tag));
        out.report(&report(&archive, &dir, name, &args.tag));
        return Ok(ExitCode::SUCCESS);
    }
    require_local_backend()?;
    let org = args.org.as_deref().unwrap_or(LOCAL_ORG);
    screen.info(format!("Using local backend (organization: {org})"));
    let api = or_start_daemon(Api::connect().await, screen).await?;
    screen.info("Connecting to backend...");
    screen.success("✓ Connected to backend");
    screen.blank();
    screen.info(format!("Skill name: {name}"));
    screen.info("Creating skill artifact...");
    let bytes = archive.zip()?;
    if bytes.len() > MAX_MESSAGE_BYTES - ENVELOPE {
        bail!(
            "the skill's archive has {} bytes, more than the server accepts ({}); remove files from {dir}",
            bytes.len(),
            MAX_MESSAGE_BYTES - ENVELOPE
        );
    }
    let size = archive.size();
    screen.success(format!("✓ Artifact created ({})", human(size)));
    let request = PushSkillRequest {
        name: name.to_owned(),
        scope: ApiResourceOwnerScope::Organization.into(),
        org: org.to_owned(),
        artifact: bytes,
        tag: args.tag.clone(),
    };
    let skill = push_skill(&api, request)
        .await
        .context("failed to upload skill artifact")?;
    let status = skill.status.clone().unwrap_or_default();
    let hash = status.version_hash.as_str();
    screen.info(format!("Version hash: {}...", &hash[..hash.len().min(16)]));
    screen.success("✓ Skill artifact uploaded successfully");
    done(&skill, hash, &args.tag, size, screen);
    out.report(&PushReport {
        organization: Some(org),
        version_hash: Some(hash),
        artifact_storage_key: Some(&status.artifact_storage_key),
        id: Some(skill.id()),
        dry_run: false,
        ..report(&archive, &dir, name, &args.tag)
    });
    Ok(ExitCode::SUCCESS)
}

fn report<'a>(archive: &Archive, dir: &'a Utf8Path, name: &'a str, tag: &'a str) -> PushReport<'a> {
    PushReport {
        dry_run: true,
        directory: dir.as_str(),
        name,
        tag,
        files: archive.len(),
        size: archive.size(),
        organization: None,
        version_hash: None,
        artifact_storage_key: None,
        id: None,
    }
}

fn done(skill: &Skill, hash: &str, tag: &str, size: u64, screen: &Screen) {
    screen.blank();
    screen.success("Skill pushed successfully!");
    screen.blank();
    screen.info("Skill Details:");
    screen.info(format!("  Name:         {}", skill.name()));
    screen.info(format!("  ID:           {}", skill.id()));
    screen.info(format!("  Version Hash: {hash}"));
    screen.info(format!("  Tag:          {tag}"));
    screen.info(format!("  Size:         {}", human(size)));
    screen.blank();
    screen.info("Next steps:");
    screen.info(format!(
        "  - Use it: agent.add_skill_ref(SkillRef::organization(\"{}\", \"{}\"))",
        skill.metadata().map_or("", |metadata| &metadata.org),
        skill.slug()
    ));
    screen.info("  - Change it and push it again: stigmer skill push");
    screen.blank();
}

/// The skill's directory, absolute and without links, so that it has a name whatever was given.
fn directory(given: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    let given = given.unwrap_or(Utf8Path::new("."));
    let dir = given
        .canonicalize_utf8()
        .with_context(|| format!("cannot read the directory {given}"))?;
    if !dir.is_dir() {
        bail!("{given} is not a directory; name the directory that holds SKILL.md");
    }
    Ok(dir)
}

/// A size for people: `512 B`, `1.0 KB`, `2.5 MB`.
fn human(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB"] {
        match (size < 1024.0, unit) {
            (true, "B") => return format!("{bytes} B"),
            (true, unit) => return format!("{size:.1} {unit}"),
            (false, _) => size /= 1024.0,
        }
    }
    format!("{size:.1} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_steps_of_1024() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KB"),
            (1536, "1.5 KB"),
            (1 << 20, "1.0 MB"),
            (5 << 30, "5.0 GB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
