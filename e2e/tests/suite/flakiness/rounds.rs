//! `flaky`: real rounds, counted by the tests themselves.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use camino::Utf8PathBuf;
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use stigmer_e2e_flakes::{Kind, PROOFS, Proof, Report, Stop, StopRule};

use crate::pipeline::{Ended, Inner};

/// A test without an environment: quick.
pub const QUICK: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";
const OTHER: &str = "smk_06_help_is_there_and_its_examples_parse";
const WITH_ENVIRONMENT: &str = "smk_03_a_stop_is_quick_clean_and_leaves_nothing";

/// What rounds of a run found.
pub fn report(ended: &Ended) -> Result<Report, Broken> {
    let report = serde_json::from_value(ended.json("flaky.json")?);
    report.map_err(|error| Broken(format!("flaky.json: {error}")))
}

/// What the tests of all rounds wrote about themselves.
fn proofs(ended: &Ended, rounds: u64) -> Result<Vec<Proof>, Broken> {
    let mut proofs = Vec::new();
    for round in 1..=rounds {
        let text = ended.text(&format!("rounds/{round:03}/{PROOFS}"))?;
        let parse = |line: &str| serde_json::from_str(line);
        let read = text.lines().map(parse).collect::<Result<Vec<Proof>, _>>();
        proofs.extend(read.map_err(|error| Broken(error.to_string()))?);
    }
    Ok(proofs)
}

/// A CLI that does as told once for each run of the suite: `script` sees the run's name as `$RUN`, and a
/// folder that outlives the runs as `$KEPT`; then it is the real one.
pub fn cli(t: &Test, script: &str) -> Result<Utf8PathBuf, Failure> {
    let program = t.folder().join("scripted-cli");
    let (kept, cli) = (t.folder().join("kept"), &t.session().stack.cli);
    fs::create_dir_all(&kept)?;
    let text = format!(
        "#!/bin/sh\nRUN=\"$STIGMER_E2E_RUN\"\nKEPT='{kept}'\n{script}\nexec '{cli}' \"$@\"\n"
    );
    fs::write(&program, text)?;
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    Ok(program)
}

#[test]
fn flk_01_every_round_is_a_real_run_in_fresh_environments_and_in_an_order_of_its_own() {
    story(async |t| {
        let rounds = 3;
        let flaky = Inner::of(&t, &[QUICK, OTHER, WITH_ENVIRONMENT])?
            .with(|plan| {
                // Their folders say which environments they had.
                plan.keep = true;
                // Three tests have six orders: of seeds that are drawn, one in 36 gives all rounds the same.
                plan.seed = 1;
            })
            .rounds(StopRule::After { rounds }, &[], None)
            .run()
            .await?;
        flaky.output.exited_with(0)?;
        t.step("the tests' own count is the number of rounds");
        let report = report(&flaky)?;
        let proofs = proofs(&flaky, rounds)?;
        let processes: BTreeSet<_> = proofs.iter().map(|it| (it.pid, it.at)).collect();
        assert_eq!(processes.len(), 3 * rounds as usize, "{proofs:?}");
        for test in &report.tests {
            let own = proofs
                .iter()
                .filter(|proof| proof.test == test.test)
                .count();
            assert_eq!(
                (test.rate.runs, own as u64),
                (rounds, rounds),
                "{}",
                test.test
            );
            assert!(test.kind == Kind::Clean && test.median_ms > 0, "{test:?}");
        }
        assert_eq!((report.tests.len(), report.proofs), (3, 3 * rounds));
        t.step("no environment is used twice");
        let mut namespaces = BTreeSet::new();
        for round in 1..=rounds {
            let record = format!("rounds/{round:03}/tests/{WITH_ENVIRONMENT}/test.json");
            let environments = flaky.json(&record)?["environments"].clone();
            for environment in environments.as_array().into_iter().flatten() {
                let namespace = environment["namespace"].as_str().unwrap_or_default();
                assert!(namespaces.insert(namespace.to_owned()), "{namespace} again");
            }
        }
        assert!(namespaces.len() >= rounds as usize, "{namespaces:?}");
        t.step("each round has an order of its own");
        let (mut orders, mut seeds) = (BTreeSet::new(), BTreeSet::new());
        for round in 1..=rounds {
            let run = flaky.json(&format!("rounds/{round:03}/run.json"))?;
            orders.insert(run["order"].to_string());
            seeds.insert(run["seed"].to_string());
        }
        assert_eq!(seeds.len(), rounds as usize, "{seeds:?}");
        assert!(orders.len() > 1, "the same order in each round: {orders:?}");
        t.step("the table has a row for each test");
        let table = flaky.text("flaky.txt")?;
        for name in [QUICK, OTHER, WITH_ENVIRONMENT] {
            assert!(table.lines().any(|line| line.starts_with(name)), "{table}");
        }
        Ok(())
    });
}

#[test]
fn flk_04_a_test_that_fails_once_is_flaky_and_the_rate_and_its_bound_are_told() {
    story(async |t| {
        // The first time that a command is given to it, in whichever round, it does not work.
        let script =
            "case \"$1\" in --version) ;; *) mkdir \"$KEPT/called\" 2>/dev/null && exit 7 ;; esac";
        let program = cli(&t, script)?;
        let flaky = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.stack.cli = program)
            .rounds(StopRule::After { rounds: 3 }, &[], None)
            .run()
            .await?;
        flaky.output.exited_with(100)?;
        let report = report(&flaky)?;
        let test = &report.tests[0];
        assert_eq!((test.kind, &test.failed_in[..]), (Kind::Flaky, &[1][..]));
        assert_eq!((test.rate.failures, test.rate.runs), (1, 3));
        // The exact bound for one failure in three.
        assert!(
            (test.rate.upper - 0.8647).abs() < 1e-4,
            "{}",
            test.rate.upper
        );
        assert_eq!(report.stop, Stop::Counted);
        t.step("the red round is kept whole, with the command that runs it again");
        let kept = flaky.results.join("rounds/001/tests").join(QUICK);
        assert!(kept.join("test.json").is_file(), "{kept} was removed");
        assert!(!flaky.results.join("rounds/002/tests").exists());
        let again = format!("cargo xtask repro {}", flaky.results.join("rounds/001"));
        assert!(
            flaky.output.stdout.contains(&again),
            "{}",
            flaky.output.stdout
        );
        Ok(())
    });
}
