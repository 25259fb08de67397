//! `merge`: results folders of several machines as one, with one report and one verdict.

mod join;

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use stigmer_e2e::harness::ids_of;
use stigmer_e2e_plan::{ExitCode, Output, Plan, failure, read_json, write_json};

use self::join::{Joined, Part, join};
use super::doctor;
use crate::results::{
    Coverage, Fixtures, Measured, Results, RunVerdict, Summary, Tally, Uses, function,
};

/// What of the first part's `run.json` holds for all of them.
const COMMON: [&str; 3] = ["binaries", "git", "host"];

/// Writes the runs in `folders` into `into` as one run. The exit code is that of a run which did all of
/// it: 0 only if no part is missing, every part did what it should, and every test passed.
pub fn merge(
    root: &Utf8Path,
    folders: &[Utf8PathBuf],
    into: &Utf8Path,
    output: Output,
) -> Result<ExitCode> {
    let parts = folders.iter().map(|folder| Part::read(folder));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let first = parts.first().context("there is nothing to merge")?;
    let joined = join(&parts);
    let mut plan: Plan = read_json(&first.folder.join("plan.json"))?;
    plan.run_id = format!("{}-merged", first.run.run_id);
    plan.results = into.to_owned();
    plan.selection.shard = None;
    let mut results = Results::create(&plan)?;
    copy_tests(&parts, into)?;
    write_events(&parts, &mut results)?;
    let gaps = write_coverage(root, &joined, &plan, &results)?;
    let summary = summary(&plan, root, &joined, &parts, gaps);
    results.run.end(&summary);
    results.run.order = joined.order.clone();
    results.write_tests(&joined.outcomes)?;
    results.write_run()?;
    complete(&parts, into)?;
    results.write_summary(&summary)?;
    results.write_report()?;
    for twice in &joined.twice {
        output.note(twice);
    }
    summary.show(output, false);
    Ok(ExitCode::of(Some(summary.exit_code.into())))
}

fn summary(
    plan: &Plan,
    root: &Utf8Path,
    joined: &Joined,
    parts: &[Part],
    mut problems: Vec<String>,
) -> Summary {
    let results = plan.results.clone();
    let mut summary = Summary::of(&plan.run_id, plan.seed, root, results, &joined.outcomes);
    summary.measured = Measured::of(&plan.results.join("tests"));
    summary.forced_kills += parts
        .iter()
        .map(|part| part.run.forced_kills)
        .sum::<usize>();
    summary.leftovers = parts.iter().map(|part| part.run.leftovers).sum();
    problems.splice(0..0, joined.problems.iter().cloned());
    let Tally { failed, .. } = summary.tally;
    if failed > 0 {
        problems.insert(0, format!("tests failed: {failed}"));
    }
    let (verdict, code) = match (problems.is_empty(), summary.tally.executed()) {
        (false, _) => (RunVerdict::Failed, ExitCode::TestsFailed),
        (true, 0) => (RunVerdict::NothingRan, ExitCode::NothingRan),
        (true, _) => (RunVerdict::Passed, ExitCode::Success),
    };
    (summary.verdict, summary.exit_code) = (verdict, code as u8);
    summary.cause = (!problems.is_empty()).then(|| problems.join("; "));
    summary
}

/// Copies each test's folder. One that ran twice is there twice, the second with its part's number.
fn copy_tests(parts: &[Part], into: &Utf8Path) -> Result<()> {
    for (number, part) in parts.iter().enumerate() {
        let tests = part.folder.join("tests");
        for test in tests.read_dir_utf8().into_iter().flatten() {
            let test = test.with_context(|| format!("failed to list {tests}"))?;
            let mut target = into.join("tests").join(test.file_name());
            if target.exists() {
                target = target.with_file_name(format!("{}-{}", test.file_name(), number + 1));
            }
            copy(test.path(), &target)?;
        }
    }
    Ok(())
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let copied = || -> std::io::Result<()> {
        let mut open = vec![(from.to_owned(), to.to_owned())];
        while let Some((from, to)) = open.pop() {
            if from.is_dir() {
                fs::create_dir_all(&to)?;
                for entry in from.read_dir_utf8()? {
                    let entry = entry?;
                    open.push((entry.path().to_owned(), to.join(entry.file_name())));
                }
            } else if from.is_file() {
                fs::copy(&from, &to)?;
            }
        }
        Ok(())
    };
    copied().map_err(|error| {
        let cause = format!("failed to copy {from} to {to}: {error}");
        failure(
            ExitCode::ResultsUnwritable,
            cause,
            "free some space, or name another folder",
        )
    })
}

/// What happened on every machine, by its own clock.
fn write_events(parts: &[Part], results: &mut Results) -> Result<()> {
    let mut events: Vec<&Value> = parts.iter().flat_map(|part| &part.events).collect();
    events.sort_by_key(|event| event["time"].as_str());
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    results.write_file("events.jsonl", lines.as_bytes())?;
    Ok(())
}

/// Writes the tables; returns what the whole should have and does not.
fn write_coverage(
    root: &Utf8Path,
    joined: &Joined,
    plan: &Plan,
    results: &Results,
) -> Result<Vec<String>> {
    let suite: Vec<_> = joined
        .selected
        .iter()
        .map(|path| (path.clone(), ids_of(function(path))))
        .collect();
    let tests = plan.results.join("tests");
    let fixtures = Fixtures::read(&doctor::fixtures(root)?, &joined.outcomes, &tests);
    let unproven = match plan.selection.is_whole() && plan.server.is_none() {
        true => fixtures.unproven(),
        false => Vec::new(),
    };
    let coverage = Coverage::new(&doctor::acceptance(root)?, &suite, &joined.outcomes)
        .with_fixtures(fixtures)
        .with_uses(Uses::read(&tests));
    results.write_coverage(&coverage)?;
    Ok(match unproven.as_slice() {
        [] => Vec::new(),
        unproven => vec![format!(
            "fixtures that no test took through everything: {}",
            unproven.join(", ")
        )],
    })
}

/// Adds to `run.json` what the parts know and this process does not.
fn complete(parts: &[Part], into: &Utf8Path) -> Result<()> {
    let file = into.join("run.json");
    let mut run: Value = read_json(&file)?;
    for name in COMMON {
        run[name] = parts[0].raw[name].clone();
    }
    let all = |name: &str| {
        parts
            .iter()
            .map(|part| part.raw[name].clone())
            .collect::<Vec<_>>()
    };
    let texts = |name: &str| all(name).into_iter().filter(Value::is_string);
    // Times of RFC 3339 in UTC are ordered as texts.
    run["started_at"] = texts("started_at").min_by_key(Value::to_string).into();
    run["ended_at"] = texts("ended_at").max_by_key(Value::to_string).into();
    run["phases"] = all("phases")
        .into_iter()
        .flat_map(|phases| phases.as_array().cloned().unwrap_or_default())
        .collect();
    run["merged"] = parts
        .iter()
        .map(|part| {
            let Part { folder, run, raw, .. } = part;
            json!({
                "folder": folder, "run_id": run.run_id, "seed": raw["seed"], "exit_code": run.exit_code,
                "shard": run.selection.shard.map(|shard| shard.to_string()),
            })
        })
        .collect();
    write_json(&file, &run)
}
