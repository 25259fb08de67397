//! Shards on several machines, and their results as one run.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_e2e::harness::{Broken, CliOutput, Failure, Test, story};
use stigmer_e2e_plan::{Shard, read_json};

use crate::{
    own,
    pipeline::{Ended, Inner},
};

/// Tests without an environment.
const FILTERS: [&str; 3] = ["smk_06", "smk_07", "ERR-06"];

async fn shard(t: &Test, index: usize, cli: Option<&str>) -> Result<Ended, Failure> {
    let run = Inner::of(t, &FILTERS)?.with(|plan| {
        plan.selection.shard = Some(Shard { index, of: 2 });
        if let Some(cli) = cli {
            plan.stack.cli = cli.into();
        }
    });
    run.run().await
}

/// Merges `results` into the folder `name` of the test.
async fn merged(
    t: &Test,
    name: &str,
    results: &[&Utf8Path],
) -> Result<(CliOutput, Utf8PathBuf), Failure> {
    let into = t.folder().join(name);
    let root = t.session().root.clone();
    let mut words = vec!["merge", "--root", root.as_str(), "--into", into.as_str()];
    words.extend(results.iter().map(|folder| folder.as_str()));
    Ok((t.command(&own::driver()).args(words).run().await?, into))
}

fn run(folder: &Utf8Path) -> Result<Value, Broken> {
    read_json(&folder.join("run.json")).map_err(|error| Broken(format!("{error:#}")))
}

#[test]
fn flk_11_shards_are_the_whole_together_and_merged_they_are_one_run_that_misses_none() {
    story(async |t| {
        let (one, two) = (shard(&t, 1, None).await?, shard(&t, 2, None).await?);
        one.output.exited_with(0)?;
        two.output.exited_with(0)?;
        let names = |ended: &Ended| -> Result<BTreeSet<String>, Broken> {
            Ok(ended
                .verdicts()?
                .into_iter()
                .map(|(name, _)| name)
                .collect())
        };
        let (first, second) = (names(&one)?, names(&two)?);
        assert!(first.is_disjoint(&second) && !first.is_empty() && !second.is_empty());
        t.step("both together are green, with every test once");
        let (output, whole) = merged(&t, "whole", &[&one.results, &two.results]).await?;
        output.exited_with(0)?;
        let record = run(&whole)?;
        let order: Vec<String> = serde_json::from_value(record["order"].clone())?;
        let distinct: BTreeSet<_> = order.iter().collect();
        assert_eq!(
            (order.len(), distinct.len()),
            (first.len() + second.len(), order.len())
        );
        assert_eq!(record["counts"]["passed"], order.len());
        for name in first.union(&second) {
            let function = name.rsplit("::").next().unwrap_or(name);
            assert!(
                whole
                    .join("tests")
                    .join(function)
                    .join("test.json")
                    .is_file(),
                "{function}"
            );
        }
        assert!(whole.join("report.html").is_file() && whole.join("junit.xml").is_file());
        t.step("one of them alone is red, and names what is missing");
        let (output, half) = merged(&t, "half", &[&one.results]).await?;
        output.exited_with(100)?;
        let cause = run(&half)?["cause"].as_str().unwrap_or_default().to_owned();
        assert!(cause.contains("shard 2/2 is missing"), "{cause}");
        assert!(output.stdout.contains(&cause), "{}", output.stdout);
        Ok(())
    });
}

#[test]
fn flk_11_a_red_shard_makes_the_whole_red_and_a_test_that_ran_twice_is_told() {
    story(async |t| {
        let good = shard(&t, 1, None).await?;
        let bad = shard(&t, 1, Some("/bin/false")).await?;
        let other = shard(&t, 2, None).await?;
        bad.output.exited_with(100)?;
        let folders = [good.results.as_path(), &bad.results, &other.results];
        let (output, whole) = merged(&t, "whole", &folders).await?;
        output.exited_with(100)?;
        assert!(
            output.stdout.contains(" ran 2 times: "),
            "{}",
            output.stdout
        );
        let failed = run(&bad.results)?["counts"]["failed"].clone();
        assert_eq!(run(&whole)?["counts"]["failed"], failed);
        Ok(())
    });
}
