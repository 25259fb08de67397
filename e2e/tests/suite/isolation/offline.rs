//! A run in a world that ends at this machine, with a checkout that cannot be written.
//!
//! Watching whether somebody wrote or connected would miss what is quick. Here the kernel denies it: a
//! network namespace that has only `lo`, whose counter of missing routes tells every attempt, and a
//! mount namespace in which the checkout is read-only except for what git ignores.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt};

use camino::Utf8Path;
use serde_json::Value;
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use stigmer_e2e_plan::{Plan, read_json};

use crate::pipeline::Inner;

/// What a run goes through: an applied fixture, a run of an agent, a workflow with calls, the CLI.
const NAMES: [&str; 4] = ["SMK-01", "APP-01", "RUN-01", "FIX-11b"];

/// Whether a new user of this machine's namespaces may do what is needed.
async fn namespaces(t: &Test) -> Result<(), Failure> {
    let tried = t
        .command(Utf8Path::new("unshare"))
        .args(["--net", "--mount", "true"])
        .run()
        .await;
    match tried {
        Ok(output) if output.code == Some(0) => Ok(()),
        _ => Err(t.skip(
            "`unshare --net --mount` is not permitted here: run it as root, with CAP_SYS_ADMIN",
        )),
    }
}

/// Every file and folder of `folder`: its size, its mode, and when it was changed.
fn contents(folder: &Utf8Path) -> std::io::Result<BTreeMap<String, (u64, u32, i64, i64)>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir_utf8()? {
            let path = entry?.into_path();
            let data = fs::symlink_metadata(&path)?;
            let about = (data.size(), data.mode(), data.mtime(), data.mtime_nsec());
            if data.is_dir() {
                open.push(path.clone());
            }
            all.insert(path.into_string(), about);
        }
    }
    Ok(all)
}

#[test]
fn iso_07_a_run_leaves_checkout_and_home_as_they_are_and_asks_for_no_other_machine() {
    story(async |t| {
        namespaces(&t).await?;
        let home = t.folder().join("user");
        fs::create_dir_all(home.join(".stigmer"))?;
        fs::write(home.join(".stigmer/config.yaml"), "of: the user\n")?;
        let before = contents(&home)?;
        let root = t.session().root.clone();
        let plan: Plan = read_json(&t.session().results.join("plan.json"))
            .map_err(|error| Broken(format!("{error:#}")))?;
        let script = root.join("e2e/tests/suite/isolation/offline.py");
        let (target, report) = (root.join("target"), t.folder().join("denied.json"));
        let writable = [target.as_str(), t.folder().as_str()];
        let mut words = vec!["unshare", "--net", "--mount", plan.tools.python.as_str()];
        words.extend([script.as_str(), report.as_str(), root.as_str()]);
        words.extend(writable);
        words.push("--");
        let run = Inner::of(&t, &NAMES)?
            .inside(&words)
            .env("HOME", home.as_str())
            .run()
            .await?;
        run.output.exited_with(0)?;
        t.step("no other machine was asked for, and it would have been counted");
        let counted: Value = read_json(&report).map_err(|error| Broken(format!("{error:#}")))?;
        assert_eq!(counted["by_command"], 0, "{counted}");
        assert_eq!(counted["by_control"], 2, "{counted}");
        t.step("the user's HOME is what it was");
        assert_eq!(contents(&home)?, before);
        t.step("what could be written of the checkout is nothing that git knows");
        let folders = writable.map(|folder| folder.strip_prefix(root.as_str()).unwrap_or(""));
        for folder in folders.iter().filter(|folder| !folder.is_empty()) {
            let tracked = t
                .command(Utf8Path::new("git"))
                .cwd(&root)
                .args(["-c", "safe.directory=*", "check-ignore", "--quiet"])
                .args([folder.trim_start_matches('/')])
                .run()
                .await?;
            tracked.exited_with(0)?;
        }
        Ok(())
    });
}
