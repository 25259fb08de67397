//! Tools are pinned, binaries are those of the checkout, and nothing is fetched while tests run.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::harness::{Cli, Failure, Test, story};
use stigmer_e2e_plan::{Plan, read_json};

use crate::pipeline::xtask;

#[test]
fn pre_08_every_tool_is_pinned_by_version_and_checksum() {
    story(async |t| {
        let Ok(plan) = read_json::<Plan>(&t.session().results.join("plan.json")) else {
            return Err(t.skip("this session was not started by the pipeline"));
        };
        assert!(plan.pins.len() >= 2, "{:?}", plan.pins);
        for pin in &plan.pins {
            assert!(!pin.version.is_empty() && pin.sha256.len() == 64, "{pin:?}");
            assert!(pin.path.is_file(), "{} is not there", pin.path);
        }
        let pinned = plan
            .pins
            .iter()
            .map(|pin| &pin.path)
            .collect::<HashSet<_>>();
        let model = plan.tools.llm.iter().map(|llm| &llm.model);
        let gguf = plan.tools.gguf.iter().map(|gguf| &gguf.file);
        let tools = [&plan.tools.temporal, &plan.tools.nextest].into_iter();
        for tool in tools.chain(model).chain(gguf) {
            assert!(pinned.contains(tool), "{tool} is used, but not pinned");
        }
        if let Some(llm) = &plan.tools.llm {
            let is_inside = |path: &&&Utf8PathBuf| path.starts_with(&llm.library);
            assert!(
                pinned.iter().any(|path| is_inside(&path)),
                "{} is used, but nothing in it is pinned",
                llm.library
            );
        }
        t.step("what is cached is still what its pin says");
        xtask(&t)?
            .env("XDG_CACHE_HOME", cache())
            .args(["pins", "verify"])
            .run()
            .await?
            .exited_with(0)?;
        Ok(())
    });
}

/// The user's cache of pinned tools, which the private HOME hides.
fn cache() -> String {
    let home = std::env::home_dir().unwrap_or_default();
    std::env::var("XDG_CACHE_HOME")
        .unwrap_or_else(|_| home.join(".cache").to_string_lossy().into_owned())
}

/// A checkout with nothing but pins and binaries: scripts that say their names, made from one source.
fn checkout_of_scripts(t: &Test) -> std::io::Result<Utf8PathBuf> {
    let root = t.folder().join("checkout");
    let binaries = root.join("target/debug");
    fs::create_dir_all(&binaries)?;
    fs::create_dir_all(root.join("src"))?;
    fs::copy(t.session().root.join("pins.json"), root.join("pins.json"))?;
    fs::copy(
        Utf8Path::new(env!("CARGO_BIN_EXE_stigmer-e2e")).with_file_name("xtask"),
        binaries.join("xtask"),
    )?;
    fs::write(root.join("src/main.rs"), "fn main() {}\n")?;
    let mut built = serde_json::json!({"stack": {}});
    for (key, name) in [
        ("cli", "stigmer"),
        ("server", "stigmer-server"),
        ("workflow_runner", "w"),
        ("agent_runner", "a"),
    ] {
        built["stack"][key] = script(&binaries, name)?.as_str().into();
    }
    for (key, name) in [("driver", "stigmer-e2e"), ("suite", "suite")] {
        built[key] = script(&binaries, name)?.as_str().into();
    }
    fs::write(build_record(&root), built.to_string())?;
    Ok(root)
}

fn build_record(root: &Utf8Path) -> Utf8PathBuf {
    root.join("target/debug/stigmer-e2e.build.json")
}

/// `cargo xtask e2e --no-build` in the checkout `root`, results in a folder named `results`.
fn without_build(t: &Test, root: &Utf8Path, results: &str) -> Cli {
    t.command(&root.join("target/debug/xtask"))
        .env("CARGO_MANIFEST_DIR", root.join("xtask").as_str())
        .env("XDG_CACHE_HOME", cache())
        // The repository around this test's folder is not that of its checkout.
        .env("GIT_CEILING_DIRECTORIES", t.folder().as_str())
        .args(["e2e", "--no-build", "--llm", "none", "--results"])
        .args([root.join("results").join(results)])
}

fn script(folder: &Utf8Path, name: &str) -> std::io::Result<Utf8PathBuf> {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\necho this is {name}\n"))?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::write(path.with_extension("d"), format!("{path}: src/main.rs\n"))?;
    Ok(path)
}

#[test]
fn pre_07_binaries_older_than_their_source_are_refused() {
    story(async |t| {
        // Says whether xtask was built at all.
        xtask(&t)?;
        let root = checkout_of_scripts(&t)?;
        let run = |number: u32| without_build(&t, &root, &number.to_string()).run();
        t.step("the control: binaries that are newer than their source are used");
        run(1).await?.exited_with(0)?.says("this is stigmer-e2e")?;
        t.step("change the source");
        let source = root.join("src/main.rs");
        let changed = |time: SystemTime| {
            fs::File::options()
                .append(true)
                .open(&source)?
                .set_modified(time)
        };
        changed(SystemTime::now() + Duration::from_secs(1))?;
        let refused = run(2).await?;
        refused
            .exited_with(101)?
            .says("older than")?
            .says(source.as_str())?
            .does_not_say("this is stigmer-e2e")?;
        t.step("change it back, and remove a binary");
        changed(SystemTime::now() - Duration::from_secs(3600))?;
        fs::remove_file(root.join("target/debug/stigmer-server"))?;
        run(3)
            .await?
            .exited_with(101)?
            .says("stigmer-server")?
            .does_not_say("this is stigmer-e2e")?;
        // It holds a copy of a program, which says nothing once the promise is kept.
        fs::remove_dir_all(root)?;
        Ok(())
    });
}

#[test]
fn pre_07_binaries_of_another_commit_are_refused() {
    story(async |t| {
        xtask(&t)?;
        let root = checkout_of_scripts(&t)?;
        let git = async |arguments: &[&str]| -> Result<String, Failure> {
            let who = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
            let run = t.command(Utf8Path::new("git")).cwd(&root).args(who);
            let done = run.args(arguments.iter().copied()).run().await?;
            Ok(done.exited_with(0)?.stdout.trim().to_owned())
        };
        let commit = async |message: &str| {
            git(&["commit", "--quiet", "--allow-empty", "-m", message]).await?;
            git(&["rev-parse", "HEAD"]).await
        };
        git(&["init", "--quiet"]).await?;
        let built_at = commit("as built").await?;
        let record = build_record(&root);
        let mut built: serde_json::Value = serde_json::from_str(&fs::read_to_string(&record)?)?;
        built["revision"] = built_at.as_str().into();
        fs::write(&record, built.to_string())?;
        t.step("the control: the binaries of this commit are used");
        without_build(&t, &root, "same")
            .run()
            .await?
            .exited_with(0)?
            .says("this is stigmer-e2e")?;
        t.step("go on to another commit, no file is newer");
        let here = commit("later").await?;
        without_build(&t, &root, "other")
            .run()
            .await?
            .exited_with(101)?
            .says(&format!("made at commit {built_at}"))?
            .says(&format!("is at commit {here}"))?
            .says("run without --no-build")?
            .does_not_say("this is stigmer-e2e")?;
        fs::remove_dir_all(root)?;
        Ok(())
    });
}
