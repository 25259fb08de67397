//! The files of a run, passed or failed.

use quick_junit::Report;
use serde_json::{Value, json};
use stigmer_e2e::harness::story;
use stigmer_e2e_plan::repro_command;

use crate::pipeline::{Inner, xtask};

const SHORT: &str = "smk_07_an_unknown_word_is_one_error_line_and_exit_code_1";
const WITH_ENVIRONMENT: &str = "smk_01_a_fresh_environment_answers_and_each_part_says_what_it_is";

#[test]
fn log_01_log_02_a_run_leaves_junit_json_and_a_summary_and_each_test_its_record() {
    story(async |t| {
        let run = Inner::of(&t, &[SHORT, WITH_ENVIRONMENT])?
            .with(|plan| plan.seed = 4711)
            .run()
            .await?;
        run.output.exited_with(0)?;

        t.step("JUnit: two cases, no failure");
        let report = Report::deserialize_from_str(&run.text("junit.xml")?)?;
        assert_eq!((report.tests, report.failures, report.errors), (2, 0, 0));

        t.step("one JSON result file");
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "passed");
        assert_eq!(record["exit_code"], 0);
        assert_eq!(record["seed"], 4711);
        assert_eq!(record["counts"]["passed"], 2);
        let binaries = record["binaries"].as_array().cloned().unwrap_or_default();
        let hashed = |name: &str| {
            let binary = binaries.iter().find(|binary| binary["name"] == name);
            binary
                .and_then(|binary| binary["sha256"].as_str())
                .is_some_and(|sha256| sha256.len() == 64)
        };
        for name in [
            "cli",
            "server",
            "workflow-runner",
            "agent-runner",
            "suite",
            "temporal",
        ] {
            assert!(hashed(name), "{name} has no hash in {binaries:?}");
        }

        t.step("a bill of materials: each of these programs, each pin, the crates");
        let bill = run.json("sbom.cdx.json")?;
        assert_eq!(bill["bomFormat"], "CycloneDX");
        let components = bill["components"].as_array().cloned().unwrap_or_default();
        let listed = |name: &Value| components.iter().find(|it| it["name"] == *name);
        for name in ["cli", "server", "workflow-runner", "agent-runner", "suite"] {
            let binary = binaries.iter().find(|binary| binary["name"] == name);
            let component = listed(&json!(name)).unwrap_or(&Value::Null);
            assert_eq!(
                Some(&component["hashes"][0]["content"]),
                binary.map(|binary| &binary["sha256"]),
                "{name}"
            );
        }
        let pins = record["pins"].as_array().cloned().unwrap_or_default();
        assert!(!pins.is_empty(), "a run without pins: {record}");
        for pin in &pins {
            let component = listed(&pin["name"]).unwrap_or(&Value::Null);
            assert_eq!(component["version"], pin["version"], "{pin}");
            assert_eq!(component["hashes"][0]["content"], pin["sha256"], "{pin}");
        }
        let crates = components.iter().filter(|it| it["type"] == "library");
        assert!(crates.count() > 100, "hardly any crates");

        t.step("a short summary with the tally as its last line");
        assert_eq!(run.last_line(), "2 passed, 0 failed, 0 skipped");
        assert_eq!(
            run.text("summary.txt")?.lines().last(),
            Some(run.last_line())
        );

        t.step("a record per test");
        let test = run.record(WITH_ENVIRONMENT)?;
        assert_eq!(test.ids, ["SMK-01"]);
        assert_eq!(test.seed, 4711);
        t.step("with version and hash of every program of the stack");
        for name in ["cli", "server", "workflow-runner", "agent-runner"] {
            let told = test.binaries.get(name).map_or("", String::as_str);
            let build = told.split_once("(build ").map_or("", |(_, build)| build);
            assert!(
                build.trim_end_matches(')').len() >= 16,
                "{name} says {told:?}"
            );
        }
        let phases = test
            .phases
            .iter()
            .map(|phase| (phase.name.as_str(), phase.ms.is_some()))
            .collect::<Vec<_>>();
        assert_eq!(
            phases,
            [("setup", true), ("body", true), ("teardown", true)]
        );
        assert!(
            test.budgets
                .iter()
                .any(|budget| budget.name == "START" && budget.percent > 0.0),
            "{:?}",
            test.budgets
        );
        assert!(
            test.budgets.iter().any(|budget| budget.name == "STOP"),
            "{:?}",
            test.budgets
        );
        let environment = &test.environments[0];
        assert!(
            environment.directory.is_dir(),
            "{} is no folder",
            environment.directory
        );
        assert_eq!(environment.parts.len(), 3);
        for part in &environment.parts {
            assert!(
                !part.version.is_empty() && part.build.len() >= 16,
                "{part:?}"
            );
        }
        Ok(())
    });
}

#[test]
fn log_07_a_failed_test_is_run_again_by_one_printed_command() {
    story(async |t| {
        t.step("a run that has to fail: its CLI is a program that says nothing");
        let broken_cli = |plan: &mut stigmer_e2e_plan::Plan| {
            plan.stack.cli = "/bin/false".into();
            plan.seed = 815;
        };
        let run = Inner::of(&t, &[SHORT])?.with(broken_cli).run().await?;
        run.output.exited_with(100)?;
        assert_eq!(run.last_line(), "0 passed, 1 failed, 0 skipped");
        let command = repro_command(&t.session().root, &run.results, Some(SHORT), 815);
        run.output.says(&command)?;
        assert_eq!(run.json("summary.json")?["rerun"], json!(command));
        let report = Report::deserialize_from_str(&run.text("junit.xml")?)?;
        assert_eq!((report.tests, report.failures), (1, 1));

        t.step("it is the last thing that is said of the failure");
        let said = run.output.stdout.lines().map(str::trim_start);
        let failure: Vec<_> = said
            .skip_while(|line| !line.starts_with("FAIL"))
            .take_while(|line| !line.starts_with("test "))
            .collect();
        assert_eq!(failure.last(), Some(&format!("again: {command}").as_str()));

        t.step("the front door understands it, and runs that test with that seed");
        let arguments = command.split(' ').skip(2);
        let explained = xtask(&t)?
            .cwd(&t.session().root)
            .args(arguments)
            .args(["--anyway", "--explain", "--json"])
            .run()
            .await?;
        explained.exited_with(0)?;
        let mut objects = explained.stdout.lines().map(serde_json::from_str::<Value>);
        let plan =
            objects.find_map(|object| object.ok().filter(|object| object.get("seed").is_some()));
        let plan = plan.unwrap_or_default();
        assert_eq!(plan["seed"], 815);
        assert_eq!(
            plan["tests"],
            json!([format!("smoke::command_line::{SHORT}")])
        );
        Ok(())
    });
}
