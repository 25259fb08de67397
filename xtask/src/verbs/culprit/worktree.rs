//! A revision in a folder of its own, built and run there.

use std::process::Command;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_e2e_flakes::{Circumstances, Entry, Rate, Round, TestCount};
use stigmer_e2e_plan::{ExitCode, failure, read_json};

use crate::{
    checkout::{Checkout, utf8},
    environment::make_users_own,
    run_id::random,
};

/// A checkout of a revision; dropping it removes it. What was built stays in `target/culprit`, so that
/// the next revision compiles only what differs.
pub struct Worktree<'a> {
    checkout: &'a Checkout,
    revision: &'a str,
    folder: Utf8PathBuf,
}

/// What a revision was found to be.
pub enum Probed {
    /// The test ran there.
    Ran(Rate),
    /// It could not; why.
    Untestable(String),
}

impl<'a> Worktree<'a> {
    /// Checks `revision` out into a temporary folder.
    pub fn add(checkout: &'a Checkout, revision: &'a str) -> Result<Self> {
        let temporary = utf8(std::env::temp_dir())?;
        let folder = temporary.join(format!("stigmer-e2e-culprit-{:08x}", random() as u32));
        let place = ["worktree", "add", "--detach", folder.as_str(), revision];
        git(&checkout.root, &place)?;
        Ok(Self {
            checkout,
            revision,
            folder,
        })
    }

    /// Runs `test` until it fails, `enough` times at most. Also returns the results folder of its last
    /// run.
    pub fn probe(&self, test: &str, enough: u64) -> Result<(Probed, Utf8PathBuf)> {
        let mut runs = 0;
        loop {
            runs += 1;
            let results = self.folder.join("results").join(runs.to_string());
            let code = self.run(test, &results)?;
            let why = || format!("`cargo xtask e2e {test}` ended with {}", code as u8);
            let probed = match code {
                ExitCode::Success if runs < enough => continue,
                ExitCode::Success => Probed::Ran(Rate::new(0, runs)),
                ExitCode::TestsFailed => Probed::Ran(Rate::new(1, runs)),
                ExitCode::Interrupted => {
                    return Err(failure(code, "stopped by a signal", "start it again"));
                }
                ExitCode::NothingRan => Probed::Untestable("it has no such test".to_owned()),
                ExitCode::BuildFailed => Probed::Untestable("it does not build".to_owned()),
                _ => Probed::Untestable(why()),
            };
            return Ok((probed, results));
        }
    }

    fn run(&self, test: &str, results: &Utf8Path) -> Result<ExitCode> {
        let mut command = Command::new("cargo");
        make_users_own(&mut command);
        let words = ["xtask", "e2e", test, "--tier", "nightly", "--results"];
        command
            .args(words)
            .arg(results)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.checkout.target.join("culprit"));
        let status = command.status().context("failed to start cargo")?;
        Ok(ExitCode::of(status.code()))
    }

    /// What the store keeps of a probe: `rate` for the only test of the run in `results`; nothing when
    /// that run does not say which it was.
    pub fn entry(&self, results: &Utf8Path, rate: &Rate) -> Option<Entry> {
        let round = Round::read(1, 0, results, 0, 0).ok()?;
        let [execution] = round.executions.as_slice() else {
            return None;
        };
        let count = TestCount {
            runs: rate.runs,
            failures: rate.failures,
            median_ms: execution.ms.unwrap_or_default(),
        };
        let run: Value = read_json(&results.join("run.json")).unwrap_or_default();
        let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
        Some(Entry {
            run_id: text("run_id"),
            started_at: text("started_at"),
            circumstances: Circumstances {
                revision: Some(self.revision.to_owned()),
                dirty: false,
                ..Circumstances::read(results, &[])
            },
            rounds: rate.runs,
            red: rate.failures,
            tests: [(execution.name.clone(), count)].into(),
        })
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        let place = ["worktree", "remove", "--force", self.folder.as_str()];
        if let Err(error) = git(&self.checkout.root, &place) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// The revisions from `good` to `bad`, oldest first, along first parents.
pub fn revisions(root: &Utf8Path, good: &str, bad: &str) -> Result<Vec<String>> {
    let range = format!("{good}..{bad}");
    let between = git(root, &["rev-list", "--reverse", "--first-parent", &range])?;
    let first = git(
        root,
        &["rev-parse", "--verify", &format!("{good}^{{commit}}")],
    )?;
    let all: Vec<String> = first
        .lines()
        .chain(between.lines())
        .map(str::to_owned)
        .collect();
    if all.len() < 2 {
        let cause = format!("{bad} is not after {good}");
        let fix = "name an older revision with --good, a newer one with --bad";
        return Err(failure(ExitCode::Usage, cause, fix));
    }
    Ok(all)
}

/// The revision and its subject; without Git's help the revision alone.
pub fn headline(checkout: &Checkout, revision: &str) -> String {
    let told = git(&checkout.root, &["log", "-1", "--format=%H %s", revision]);
    told.map_or_else(|_| revision.to_owned(), |told| told.trim().to_owned())
}

fn git(root: &Utf8Path, arguments: &[&str]) -> Result<String> {
    let asked = Command::new("git")
        .args(["-C", root.as_str()])
        .args(arguments)
        .output()
        .context("failed to start git")?;
    if asked.status.success() {
        return Ok(String::from_utf8_lossy(&asked.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&asked.stderr);
    let cause = told.lines().last().unwrap_or("git failed").to_owned();
    Err(failure(
        ExitCode::Usage,
        cause,
        "name revisions that this checkout has",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_listed_from_the_oldest_and_must_go_forward() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        git(root, &["init", "--quiet"]).expect("a repository");
        let mut all = Vec::new();
        for subject in ["one", "two", "three"] {
            let name = ["-c", "user.name=a", "-c", "user.email=a@b"];
            let commit = ["commit", "--quiet", "--allow-empty", "-m", subject];
            git(root, &[&name[..], &commit[..]].concat()).expect("a commit");
            all.push(
                git(root, &["rev-parse", "HEAD"])
                    .expect("a hash")
                    .trim()
                    .to_owned(),
            );
        }
        assert_eq!(revisions(root, "HEAD~2", "HEAD").expect("a range"), all);
        assert!(revisions(root, "HEAD", "HEAD").is_err());
        let unknown = revisions(root, "nowhere", "HEAD").expect_err("no such revision");
        assert!(!unknown.to_string().contains('\n'), "{unknown}");
    }
}
