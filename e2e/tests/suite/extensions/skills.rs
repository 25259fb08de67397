//! Skills: pushed by the command, stored by version, read back byte for byte, used by an agent.

use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_api::{
    ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG, Resource,
};
use stigmer_e2e::harness::{
    CheckError, Environment, Expectation, Failure, Reply, Test, budget::AGENT, story,
};
use tonic::Code;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    given::{agent, execution},
    then::{self, Refusal},
};

const FIRST: &str = "# Code review\n\nSay MARKER-ONE first.\n";
const SECOND: &str = "# Code review\n\nSay MARKER-TWO first.\n";

fn skill(t: &Test, text: &str) -> Result<Utf8PathBuf, Failure> {
    let dir = t.folder().join("skills/code-review");
    fs::create_dir_all(dir.join("scripts"))?;
    fs::write(dir.join("SKILL.md"), text)?;
    fs::write(dir.join("scripts/run.sh"), "#!/bin/sh\necho ran\n")?;
    fs::write(dir.join(".env"), "TOKEN=not-for-others\n")?;
    Ok(dir)
}

async fn push(env: &Environment, dir: &Utf8Path, tag: &str) -> Result<Value, CheckError> {
    let args = [
        "skill",
        "push",
        dir.as_str(),
        "--tag",
        tag,
        "--output",
        "json",
    ];
    let output = env.cli().args(args).run().await?;
    output.exited_with(0)?;
    assert_eq!(output.stderr, "");
    Ok(output.json()?)
}

#[test]
fn ext_07_a_skill_is_pushed_again_and_every_version_can_be_pulled() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        t.step("push, change, and push again");
        let dir = skill(&t, FIRST)?;
        let first = push(&env, &dir, "v1").await?;
        let repeated = push(&env, &dir, "v1").await?;
        assert_eq!(repeated, first, "the same files are the same version");
        skill(&t, SECOND)?;
        let second = push(&env, &dir, "v2").await?;
        assert_eq!(
            second["id"], first["id"],
            "a second push made a second skill"
        );
        assert_ne!(second["version_hash"], first["version_hash"]);
        assert_eq!(env.store().count(ApiResourceKind::Skill)?, 1);
        t.step("every version is there, by tag and by hash");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (version, pushed, wanted) in [
            ("", &second, SECOND),
            ("v1", &first, FIRST),
            ("v2", &second, SECOND),
            (&text(&first["version_hash"]), &first, FIRST),
        ] {
            let found = env.api().skill("code-review", version).await?;
            assert_eq!(
                found.spec.clone().unwrap_or_default().skill_md,
                wanted,
                "{version:?}"
            );
            let status = found.status.unwrap_or_default();
            assert_eq!(status.version_hash, text(&pushed["version_hash"]));
            assert_eq!(
                status.artifact_storage_key,
                text(&pushed["artifact_storage_key"])
            );
            let bytes = env.api().artifact(&status.artifact_storage_key).await?;
            let mut archive = ZipArchive::new(Cursor::new(bytes))?;
            let names = archive.file_names().collect::<Vec<_>>();
            assert_eq!(names, ["SKILL.md", "scripts/run.sh"]);
            let mut content = String::new();
            archive.by_name("SKILL.md")?.read_to_string(&mut content)?;
            assert_eq!(content, wanted);
        }
        Ok(())
    });
}

fn zip(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, Failure> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default())?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[test]
fn ext_07_a_wrong_archive_and_tricks_with_paths_are_refused() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let md: (&str, &[u8]) = ("SKILL.md", b"# Skill\n");
        let mut link = ZipWriter::new(Cursor::new(Vec::new()));
        link.start_file("SKILL.md", SimpleFileOptions::default())?;
        link.write_all(md.1)?;
        link.add_symlink("passwords", "/etc/passwd", SimpleFileOptions::default())?;
        for (what, archive, word) in [
            ("no ZIP file", b"not an archive".to_vec(), "ZIP"),
            ("nothing in it", zip(&[])?, "SKILL.md"),
            ("no description", zip(&[("README.md", b"x")])?, "SKILL.md"),
            (
                "a path upwards",
                zip(&[md, ("../../up", b"x")])?,
                "../../up",
            ),
            (
                "an absolute path",
                zip(&[md, ("/etc/up", b"x")])?,
                "/etc/up",
            ),
            ("a link", link.finish()?.into_inner(), "passwords"),
        ] {
            t.step(format!("push {what}"));
            let error = env.api().push_skill("tricky", archive, "v1").await.err();
            let error = error.unwrap_or_else(|| panic!("{what} was accepted"));
            assert_eq!(error.code(), Code::InvalidArgument, "{what}: {error}");
            assert!(error.status.message().contains(word), "{what}: {error}");
            refusal.check_store(what)?;
        }
        t.step("pull what is no artefact");
        let accepted = env.api().push_skill("proper", zip(&[md])?, "v1").await?;
        let key = accepted.status.unwrap_or_default().artifact_storage_key;
        assert!(!env.api().artifact(&key).await?.is_empty());
        let hash = key.trim_start_matches("skills/").trim_end_matches(".zip");
        for key in [
            "../stigmer.db".to_owned(),
            "/etc/passwd".to_owned(),
            format!("skills/../skills/{hash}.zip"),
            format!("skills/{hash}.zip/../../../stigmer.db"),
            format!("skills/{hash}"),
            "skills/".to_owned(),
            format!("skills/{}.zip", "0".repeat(64)),
        ] {
            let answer = env.api().artifact(&key).await;
            let error = answer
                .err()
                .unwrap_or_else(|| panic!("{key} could be pulled"));
            assert!(
                matches!(error.code(), Code::NotFound | Code::InvalidArgument),
                "{key}: {error}"
            );
        }
        t.step("the command refuses a directory that leads outside");
        let refusal = Refusal::expected(&env)?;
        let dir = skill(&t, FIRST)?;
        std::os::unix::fs::symlink("/etc/passwd", dir.join("passwords"))?;
        let output = env
            .cli()
            .args(["skill", "push", dir.as_str()])
            .run()
            .await?;
        refusal.check(&output)?;
        output.says("passwords is a symbolic link")?;
        let output = env.cli().args(["skill", "push"]).run().await?;
        refusal.check(&output)?;
        output.says("SKILL.md not found in")?;
        Ok(())
    });
}

#[test]
fn ext_07_an_agent_runs_with_the_skill_that_is_attached_to_it() {
    story(async |t| {
        let env = t.environment().start().await?;
        push(&env, &skill(&t, FIRST)?, "v1").await?;
        push(&env, &skill(&t, SECOND)?, "v2").await?;
        for (version, marker, other) in [
            ("v1", "MARKER-ONE", "MARKER-TWO"),
            ("", "MARKER-TWO", "MARKER-ONE"),
        ] {
            t.step(format!("an agent with the skill in version {version:?}"));
            let name = format!("reviewer{version}");
            let mut with_skill = agent(&name, "Answer in one short sentence.");
            let spec = with_skill.spec.get_or_insert_default();
            spec.skill_refs.push(ApiResourceReference {
                scope: ApiResourceOwnerScope::Organization as i32,
                org: LOCAL_ORG.to_owned(),
                kind: ApiResourceKind::Skill as i32,
                slug: "code-review".to_owned(),
                version: version.to_owned(),
            });
            let stored = env.api().create(with_skill).await?;
            let message = format!("Review this for {name}.");
            env.llm().expect(Expectation::message_containing(
                &message,
                Reply::text("Reviewed."),
            ));
            let started = env
                .api()
                .create(execution(&name, stored.id(), &message))
                .await?;
            then::completed(&env, started.id(), AGENT).await?;
            let seen = env.llm().requests().pop().map(|seen| seen.body.to_string());
            let seen = seen.unwrap_or_default();
            assert!(
                seen.contains(marker),
                "the model was not given the skill: {seen}"
            );
            assert!(
                !seen.contains(other),
                "the model was given another version: {seen}"
            );
        }
        Ok(())
    });
}
