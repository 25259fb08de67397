//! `--debug`, and a settings file that cannot be used.

use std::fs;

use stigmer_e2e::{
    ensure,
    harness::{CheckError, Cli, CliOutput, Environment, Failure, NOBODY, Project, Test, story},
};

use super::{complains, silent_server};
use crate::then::Refusal;

/// The lines of standard error that `--debug` adds: those of the log.
fn log_lines(output: &CliOutput) -> usize {
    let lines = output.error_lines().into_iter();
    lines.filter(|line| line.contains(" DEBUG ")).count()
}

/// The lines of standard error without numbers: process and thread ids differ.
fn without_numbers(output: &CliOutput) -> Vec<String> {
    let lines = output.error_lines().into_iter();
    lines
        .map(|line| line.chars().filter(|c| !c.is_ascii_digit()).collect())
        .collect()
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
fn failing(t: &Test, env: &Environment, secret: &str) -> Result<Vec<(String, Cli)>, Failure> {
    let cli = |arguments: &[&str]| env.cli().args(arguments.iter().copied());
    let variable = format!("secret:TOKEN={secret}");
    let run = ["run", "nobody", "--runtime-env", &variable];
    let fixture = Project::fixture(t, "01-basic-agent")?;
    let mut cases = vec![
        ("an unknown name", cli(&run)),
        ("no server", cli(&run).env("STIGMER_SERVER_ADDR", NOBODY)),
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

/// The command fails with and without `--debug`, says more with it, and never says `secret`.
async fn check(
    refusal: &Refusal<'_>,
    secret: &str,
    what: &str,
    cli: Cli,
) -> Result<(), CheckError> {
    let (plain, debug) = tokio::try_join!(cli.clone().run(), cli.args(["--debug"]).run())?;
    plain.exited_with(1)?;
    debug.exited_with(1)?;
    refusal.check_store(what)?;
    let (log, more) = (log_lines(&plain), log_lines(&debug));
    ensure!(
        log == 0 && more > 0,
        "{what}: {log} lines of log without --debug, {more} with it:\n{}",
        debug.stderr
    );
    let said = without_numbers(&debug);
    for line in without_numbers(&plain) {
        ensure!(
            said.contains(&line),
            "{what}: with --debug, nobody says {line:?}"
        );
    }
    plain.does_not_say(secret)?;
    debug.does_not_say(secret)?;
    Ok(())
}

#[test]
fn err_20_debug_says_more_with_the_same_exit_code_and_tells_no_secret() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        // A value that must not be written down anywhere; teardown looks for it, too.
        let secret = t.secret("TOKEN");
        let (address, silence) = silent_server().await?;
        let silent = env
            .cli()
            .env("STIGMER_SERVER_ADDR", address)
            .args(["run", "nobody"]);
        let cases = failing(&t, &env, &secret)?;
        // Whoever waits for the silent server leaves time for all the others.
        let others = async {
            for (what, cli) in cases {
                t.step(&what);
                check(&refusal, &secret, &what, cli).await?;
            }
            Ok(())
        };
        tokio::try_join!(check(&refusal, &secret, "a silent server", silent), others)?;
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
            Ok::<_, CheckError>(())
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
