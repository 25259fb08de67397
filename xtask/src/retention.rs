//! Old results: how many runs are kept, and which may go. A run that was not green is evidence, and
//! stays for two weeks whatever came after it; what no run wrote is never touched.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use stigmer_e2e_plan::{ExitCode, Output, count, failure, read_json};

use crate::checkout::Checkout;

/// How many runs are kept, unless the variable says otherwise; 0 keeps all.
const KEPT: usize = 20;
/// The variable that says otherwise.
const VARIABLE: &str = "STIGMER_E2E_KEEP_RUNS";
/// For so long a run is kept that failed, was stopped, or was cut off.
const EVIDENCE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A run whose results are kept.
#[derive(Clone, Debug)]
struct Kept {
    folder: Utf8PathBuf,
    is_green: bool,
    /// Since its last change.
    age: Duration,
}

#[derive(Deserialize)]
struct Run {
    run_id: String,
    verdict: String,
}

/// Removes old runs from the checkout's own results, when the run of `results` adds one to them. What
/// cannot be removed stays for the next time.
///
/// # Errors
///
/// [`ExitCode::Usage`] when the variable is no number.
pub fn make_room(results: &Utf8Path, checkout: &Checkout, output: Output) -> Result<()> {
    let folder = checkout.root.join("results");
    if results.parent() != Some(&folder) {
        return Ok(());
    }
    let (removed, keep) = remove_old_runs(&folder)?;
    if removed > 0 {
        let runs = count(removed, "old run");
        output.note(&format!("removed {runs} ({VARIABLE} is {keep})"));
    }
    Ok(())
}

/// How many of the oldest runs in `folder` were removed, and how many runs are kept.
fn remove_old_runs(folder: &Utf8Path) -> Result<(usize, usize)> {
    let keep = match std::env::var(VARIABLE) {
        Err(_) => KEPT,
        Ok(text) => text.parse().map_err(|_| {
            let cause = format!("{VARIABLE} is `{text}`, which is no number of runs");
            failure(ExitCode::Usage, cause, "use a number; 0 keeps all")
        })?,
    };
    let old = superfluous(runs(folder), keep);
    let removed = old.iter().filter(|run| fs::remove_dir_all(run).is_ok());
    Ok((removed.count(), keep))
}

/// The runs in `folder`, the newest first.
fn runs(folder: &Utf8Path) -> Vec<Kept> {
    let folders = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut runs: Vec<Kept> = folders.filter_map(|it| kept(it.into_path())).collect();
    // A name begins with its time.
    runs.sort_by(|a, b| b.folder.cmp(&a.folder));
    runs
}

/// The run in `folder`, if it has the name that the run gave it.
fn kept(folder: Utf8PathBuf) -> Option<Kept> {
    let file = folder.join("run.json");
    let is_link = fs::symlink_metadata(&folder).ok()?.is_symlink();
    let run: Run = read_json(&file).ok()?;
    let changed = fs::metadata(&file).ok()?.modified().ok()?;
    let own = !is_link && folder.file_name() == Some(run.run_id.as_str());
    own.then(|| Kept {
        is_green: run.verdict == "passed",
        // A change that is still to come has just happened.
        age: SystemTime::now()
            .duration_since(changed)
            .unwrap_or_default(),
        folder,
    })
}

/// Which of `runs`, the newest first, go when `keep` stay.
fn superfluous(runs: Vec<Kept>, keep: usize) -> Vec<Utf8PathBuf> {
    let beyond = match keep {
        0 => usize::MAX,
        keep => keep,
    };
    let old = runs.into_iter().skip(beyond);
    let may_go = old.filter(|run| run.is_green || run.age > EVIDENCE);
    may_go.map(|run| run.folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, is_green: bool, days: u64) -> Kept {
        Kept {
            folder: name.into(),
            is_green,
            age: Duration::from_secs(days * 24 * 60 * 60),
        }
    }

    #[test]
    fn beyond_the_number_green_runs_go_and_others_stay_for_two_weeks() {
        let runs = vec![
            run("e", true, 0),
            run("d", true, 1),
            run("c", false, 13),
            run("b", true, 14),
            run("a", false, 15),
        ];
        assert_eq!(superfluous(runs.clone(), 1), ["d", "b", "a"]);
        assert_eq!(superfluous(runs.clone(), 4), ["a"]);
        assert!(superfluous(runs, 0).is_empty());
    }

    #[test]
    fn only_a_folder_that_a_run_named_is_a_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for (name, run_id) in [("own", "own"), ("copied", "another")] {
            fs::create_dir(folder.join(name)).expect("made");
            let run = format!(r#"{{"run_id": "{run_id}", "verdict": "passed"}}"#);
            fs::write(folder.join(name).join("run.json"), run).expect("written");
        }
        fs::create_dir(folder.join("notes")).expect("made");
        let found: Vec<_> = runs(folder).into_iter().map(|run| run.folder).collect();
        assert_eq!(found, [folder.join("own")]);
    }
}
