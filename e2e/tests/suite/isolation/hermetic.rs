//! Hermetic runs: nobody reaches another machine, and whoever tries is named.

use std::{fs, os::unix::fs::PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use stigmer_e2e::harness::{Failure, Test, story};
use stigmer_e2e_plan::Hermetic;

use crate::pipeline::{Ended, Inner};

const QUICK: &str = "smk_07";

/// What a run ends with when something tried to leave, or cannot be cut off.
const TRIED_TO_LEAVE: i32 = 112;
const PREREQUISITE_MISSING: i32 = 96;

/// Asks for a machine that is nobody's, and for the address of a name that nobody has.
const GOSSIP: &str = "\
import contextlib, socket
with contextlib.suppress(OSError):
    socket.create_connection((\"192.0.2.7\", 9), timeout=5)
with contextlib.suppress(OSError):
    socket.getaddrinfo(\"gossip.invalid\", 80)
";

/// Makes it impossible to make a network namespace, and goes on.
const NO_NAMESPACES: &str = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$0\" \"$@\"";

/// A program that gossips and then becomes `cli`.
fn gossip(folder: &Utf8Path, python: &Utf8Path, cli: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
    let (script, program) = (folder.join("gossip.py"), folder.join("gossiping-cli"));
    fs::write(&script, GOSSIP)?;
    let body = format!("#!/bin/sh\n'{python}' '{script}'\nexec '{cli}' \"$@\"\n");
    fs::write(&program, body)?;
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    Ok(program)
}

/// Skips the test where no run can be cut off.
fn possible(t: &Test, run: &Ended) -> Result<(), Failure> {
    match run.output.code {
        Some(PREREQUISITE_MISSING) => Err(t.skip(&run.output.error_lines().join(" "))),
        _ => Ok(()),
    }
}

#[test]
fn iso_07_whoever_asks_for_another_machine_in_a_hermetic_run_is_named_and_the_run_is_red() {
    story(async |t| {
        let folder = t.folder().to_owned();
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| {
                plan.hermetic = Hermetic::Required;
                plan.stack.cli = gossip(&folder, &plan.tools.python, &plan.stack.cli)
                    .expect("a test may write into its folder");
            })
            .run()
            .await?;
        possible(&t, &run)?;
        run.output
            .exited_with(TRIED_TO_LEAVE)?
            .says("tried to reach another machine")?;
        t.step("the test itself passed");
        let verdicts = run.verdicts()?;
        let [(test, verdict)] = verdicts.as_slice() else {
            panic!("not one test: {verdicts:?}");
        };
        assert_eq!(verdict, "passed");
        let record = run.json("run.json")?;
        assert_eq!(record["verdict"], "tried-to-leave");
        t.step("both attempts are there, with the program and the test");
        let attempts = record["hermetic"]["attempts"].as_array().cloned();
        let attempts = attempts.unwrap_or_default();
        let of_test = |to: &str, name: Value| {
            let found = attempts.iter().find(|attempt| {
                attempt["to"] == to && attempt["name"] == name && attempt["test"] == test.as_str()
            });
            found
                .cloned()
                .unwrap_or_else(|| panic!("no {to} among {attempts:?}"))
        };
        let connection = of_test("192.0.2.7:9", Value::Null);
        let question = of_test("192.0.2.53:53", json!("gossip.invalid"));
        for (attempt, protocol) in [(&connection, "tcp"), (&question, "udp")] {
            assert_eq!(attempt["protocol"], protocol, "{attempt}");
            let program = attempt["program"].as_str().unwrap_or_default();
            assert!(program.ends_with("/gossip.py"), "{attempt}");
        }
        Ok(())
    });
}

#[test]
fn iso_07_a_hermetic_run_has_loopback_a_clean_environment_and_an_empty_home() {
    story(async |t| {
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| plan.hermetic = Hermetic::Required)
            .env("A_SECRET_OF_THE_USER", "x")
            .run()
            .await?;
        possible(&t, &run)?;
        run.output.exited_with(0)?.says("attempts to leave 0")?;
        let record = run.json("run.json")?;
        let hermetic = &record["hermetic"];
        assert_eq!(hermetic["state"], "watched");
        t.step("its namespace is another one than ours");
        let own = fs::read_link("/proc/self/ns/net")?;
        let namespace = hermetic["namespace"].as_str().unwrap_or_default();
        assert!(namespace.starts_with("net:["), "{namespace}");
        assert_ne!(own.to_str(), Some(namespace));
        assert_eq!(hermetic["interfaces"][0], "lo 127.0.0.1 ::1");
        assert_eq!(hermetic["attempts"], json!([]));
        t.step("nothing of the user's own was passed on, and HOME stayed empty");
        let given = hermetic["environment"].as_array().cloned();
        let given = given.unwrap_or_default();
        assert!(given.contains(&json!("PATH")), "{given:?}");
        assert!(!given.contains(&json!("A_SECRET_OF_THE_USER")), "{given:?}");
        assert_eq!(hermetic["written_to_home"], json!([]));
        let home = run.results.join("hermetic/home");
        assert_eq!(hermetic["home"], home.as_str());
        assert!(!home.exists(), "{home} was empty and is still there");
        Ok(())
    });
}

#[test]
fn iso_07_where_a_run_cannot_be_cut_off_it_says_so_or_does_not_begin() {
    story(async |t| {
        let words = [
            "unshare",
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            NO_NAMESPACES,
        ];
        let run = async |hermetic| {
            let run = Inner::of(&t, &[QUICK])?;
            run.with(|plan| plan.hermetic = hermetic)
                .inside(&words)
                .run()
                .await
        };
        t.step("if possible: it runs, and says that it is not cut off");
        let lenient = run(Hermetic::WherePossible).await?;
        lenient
            .output
            .exited_with(0)?
            .says("not hermetic: make network and mount namespaces: ")?;
        let record = lenient.json("run.json")?;
        assert_eq!(record["hermetic"]["state"], "not-possible", "{record}");
        t.step("required: there is no run");
        let strict = run(Hermetic::Required).await?;
        strict.output.exited_with(PREREQUISITE_MISSING)?;
        let errors = strict.output.error_lines();
        assert_eq!(errors.len(), 1, "{errors:?}");
        for part in ["cannot be cut off", "run without --hermetic"] {
            assert!(errors[0].contains(part), "{errors:?}");
        }
        assert!(!strict.results.join("events.jsonl").exists());
        Ok(())
    });
}
