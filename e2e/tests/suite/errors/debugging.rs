//! `--debug`, and a settings file that cannot be used.

use std::fs;

use stigmer_e2e::{
    ensure,
    harness::{Cli, CliOutput, Environment, Failure, NOBODY, Project, Test, story},
};

use super::{complains, silent_server};
use crate::then::Refusal;

/// The lines of standard error that `--debug` adds: those of the log.
fn log_lines(output: &CliOutput) -> usize {
    let lines = output.error_lines().into_iter();
    lines.filter(|line| line.contains(" DEBUG ")).count()
}

/// Programs that go wrong, one way each (`fixtures/projects/broken`).
const BROKEN: [&str; 8] = [
    "creates_nothing",
    "exits_three",
    "panics",
    "prints_a_mebibyte",
    "runs_for_ever",
    "writes_foreign",
    "writes_truncated",
    "writes_unknown_file",
];

/// Commands that fail, each in its own way; none of them may tell `secret`.
fn failing(
    t: &Test,
    env: &Environment,
    secret: &str,
    silent: &str,
) -> Result<Vec<(String, Cli)>, Failure> {
    let cli = |arguments: &[&str]| env.cli().args(arguments.iter().copied());
    let variable = format!("secret:TOKEN={secret}");
    let run = ["run", "nobody", "--runtime-env", &variable];
    let fixture = Project::fixture(t, "01-basic-agent")?;
    let mut cases = vec![
        ("an unknown name", cli(&run)),
        ("no server", cli(&run).env("STIGMER_SERVER_ADDR", NOBODY)),
        (
            "a silent server",
            cli(&run).env("STIGMER_SERVER_ADDR", silent),
        ),
        (
            "a variable of the wrong form",
            cli(&[
                "run",
                "nobody",
                "--runtime-env",
                &format!("secret:{secret}"),
            ]),
        ),
        (
            "a variable without a name",
            cli(&[
                "run",
                "nobody",
                "--runtime-env",
                &format!("secret:={secret}"),
            ]),
        ),
        (
            "a project and no server",
            fixture
                .cli(env)
                .env("STIGMER_SERVER_ADDR", NOBODY)
                .args(["apply"]),
        ),
        ("no project", cli(&["apply"])),
        ("no skill", cli(&["skill", "push"])),
        ("no such agent", cli(&["agent", "get", "nobody"])),
        ("no such execution", cli(&["execution", "watch", "nobody"])),
        ("no such setting", cli(&["config", "get", "nothing"])),
        ("no such backend", cli(&["backend", "set", "moon"])),
        ("a place that is taken", fixture.cli(env).args(["new"])),
    ]
    .into_iter()
    .map(|(what, cli)| (what.to_owned(), cli))
    .collect::<Vec<_>>();
    for (name, yaml) in [
        ("not-yaml", "name: [unclosed\n\t}: {"),
        ("no-runtime", "name: broken\n"),
        ("no-main", "name: x\nruntime: rust\nmain: src/nowhere.rs\n"),
    ] {
        let project = Project::bare(t, name, Some(yaml))?;
        cases.push((name.to_owned(), project.cli(env).args(["apply"])));
    }
    for name in BROKEN {
        let project = Project::fixture(t, &format!("broken/{name}"))?;
        let apply = project.cli(env).env("STIGMER_SYNTHESIS_TIMEOUT", "1s");
        cases.push((name.to_owned(), apply.args(["apply"])));
    }
    let project = Project::template(t, "does-not-compile")?;
    cases.push((
        "does not compile".to_owned(),
        project.cli(env).args(["apply"]),
    ));
    Ok(cases)
}

#[test]
fn err_20_debug_says_more_with_the_same_exit_code_and_tells_no_secret() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        // A value that must not be written down anywhere; teardown looks for it, too.
        let secret = t.secret("TOKEN");
        let (silent, silence) = silent_server().await?;
        for (what, cli) in failing(&t, &env, &secret, &silent)? {
            t.step(&what);
            // What is counted is time without an answer, so both may wait at once.
            let (plain, debug) = tokio::try_join!(cli.clone().run(), cli.args(["--debug"]).run())?;
            plain.exited_with(1)?;
            debug.exited_with(1)?;
            refusal.check_store(&what)?;
            ensure!(
                log_lines(&plain) == 0 && log_lines(&debug) > 0,
                "{what}: {} lines of log without --debug, {} with it:\n{}",
                log_lines(&plain),
                log_lines(&debug),
                debug.stderr
            );
            // What is said without the log is said with it.
            for line in plain.error_lines() {
                complains(&debug, line)?;
            }
            for output in [&plain, &debug] {
                output.does_not_say(&secret)?;
            }
        }
        silence.abort();
        Ok(())
    });
}

#[test]
fn err_21_settings_that_cannot_be_used_are_named_by_their_path() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let folder = env.home().join(".stigmer");
        let file = folder.join("config.yaml");
        fs::create_dir_all(&folder)?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        let check = async |what: &str| {
            t.step(what);
            for cli in [
                project.cli(&env).args(["apply"]),
                env.cli().args(["run", "code-reviewer"]),
                env.cli().args(["agent", "list"]),
                env.cli().args(["backend", "status"]),
            ] {
                let output = cli.run().await?;
                refusal.check(&output)?;
                complains(&output, file.as_str())?;
                assert_eq!(output.stdout, "", "{what}: `{}`", output.command_line);
            }
            Ok::<_, stigmer_e2e::harness::CheckError>(())
        };
        for (what, content) in [
            ("damaged", &b"backend: ["[..]),
            ("a list", b"- backend\n"),
            ("no text", b"\xff\xfe\x00"),
            ("an unknown backend", b"backend: {type: moon}\n"),
            ("a backend that is no word", b"backend: {type: [local]}\n"),
        ] {
            fs::write(&file, content)?;
            check(what).await?;
        }
        // The superuser, as whom tests may run, reads any file; nobody reads a directory.
        fs::remove_file(&file)?;
        fs::create_dir(&file)?;
        check("unreadable").await?;
        t.step("the control: without the file everything is at its default");
        fs::remove_dir(&file)?;
        project
            .cli(&env)
            .args(["apply"])
            .run()
            .await?
            .exited_with(0)?;
        Ok(())
    });
}
