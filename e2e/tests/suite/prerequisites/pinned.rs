//! Tools are pinned, binaries are those of the checkout, and nothing is fetched while tests run.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::harness::{Project, Test, budget::AGENT, story};
use stigmer_e2e_plan::{Plan, read_json};

use crate::{pipeline::xtask, then};

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
        for tool in [&plan.tools.temporal, &plan.tools.nextest] {
            assert!(pinned.contains(tool), "{tool} is used, but not pinned");
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
    fs::write(binaries.join("stigmer-e2e.build.json"), built.to_string())?;
    Ok(root)
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
        let run = |number: u32| {
            t.command(&root.join("target/debug/xtask"))
                .env("CARGO_MANIFEST_DIR", root.join("xtask").as_str())
                .env("XDG_CACHE_HOME", cache())
                .args([
                    "e2e",
                    "--no-build",
                    "--llm",
                    "none",
                    "--results",
                    root.join(format!("results/{number}")).as_str(),
                ])
                .run()
        };
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

/// The remote addresses of the TCP connections of a process, in the system's hexadecimal form.
fn remote_addresses(pid: u32) -> std::io::Result<Vec<String>> {
    let mut inodes = HashSet::new();
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // A descriptor may be closed while it is looked at.
        let Ok(target) = fs::read_link(descriptor?.path()) else {
            continue;
        };
        if let Some(inode) = target
            .to_str()
            .and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'))
        {
            inodes.insert(inode.to_owned());
        }
    }
    let mut remotes = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        for line in text.lines().skip(1) {
            let fields = line.split_whitespace().collect::<Vec<_>>();
            if fields.get(9).is_some_and(|inode| inodes.contains(*inode)) {
                remotes.extend(fields[2].split(':').next().map(str::to_owned));
            }
        }
    }
    Ok(remotes)
}

/// Loopback, or nobody yet.
fn is_local(remote: &str) -> bool {
    const LOOPBACK_4: &str = "0100007F";
    const LOOPBACK_6: &str = "00000000000000000000000001000000";
    const LOOPBACK_4_IN_6: &str = "0000000000000000FFFF00000100007F";
    [LOOPBACK_4, LOOPBACK_6, LOOPBACK_4_IN_6].contains(&remote)
        || remote.bytes().all(|byte| byte == b'0')
}

#[test]
fn pre_08_no_part_of_the_stack_connects_to_anything_but_this_machine() {
    story(async |t| {
        let env = t.environment().answering("Fine.").start().await?;
        then::applied(
            &env,
            &Project::fixture(&t, "01-basic-agent")?
                .cli(&env)
                .args(["apply"])
                .run()
                .await?,
        )
        .await?;
        let run = env.cli().args(["run", "code-reviewer"]).run().await?;
        run.exited_with(0)?;
        then::completed(&env, &then::started(&env, &run).await?, AGENT).await?;
        for part in env.parts() {
            let remotes = remote_addresses(part.ready().pid)?;
            assert!(
                !remotes.is_empty(),
                "{:?} has no connection at all: the look is wrong",
                part.component()
            );
            let foreign = remotes
                .iter()
                .filter(|remote| !is_local(remote))
                .collect::<Vec<_>>();
            assert!(
                foreign.is_empty(),
                "{:?} is connected to {foreign:?}",
                part.component()
            );
        }
        Ok(())
    });
}
