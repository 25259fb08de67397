//! `--debug`, and a settings file that cannot be used.

use std::fs;

use stigmer_e2e::{
    ensure,
    harness::{Cli, CliOutput, NOBODY, Project, story},
};

use super::complains;
use crate::then::Refusal;

/// The lines of standard error that `--debug` adds: those of the log.
fn log_lines(output: &CliOutput) -> usize {
    let lines = output.error_lines().into_iter();
    lines.filter(|line| line.contains(" DEBUG ")).count()
}

#[test]
fn err_20_debug_says_more_with_the_same_exit_code_and_tells_no_secret() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        // A value that must not be written down anywhere; teardown looks for it, too.
        let secret = t.secret("TOKEN");
        let bare = |name: &str, yaml: &str| Project::bare(&t, name, Some(yaml));
        let broken = |name: &str| Project::fixture(&t, &format!("broken/{name}"));
        let no_main = bare("no-main", "name: x\nruntime: rust\nmain: src/nowhere.rs\n")?;
        let not_yaml = bare("not-yaml", "name: [unclosed\n\t}: {")?;
        let fixture = Project::fixture(&t, "01-basic-agent")?;
        let run = |arguments: &[&str]| env.cli().args(["run"]).args(arguments.iter().copied());
        let variable = format!("secret:TOKEN={secret}");
        let cases: Vec<(&str, Cli)> = vec![
            (
                "an unknown name",
                run(&["nobody", "--runtime-env", &variable]),
            ),
            (
                "a server that is not there",
                run(&["nobody", "--runtime-env", &variable]).env("STIGMER_SERVER_ADDR", NOBODY),
            ),
            (
                "a variable of the wrong form",
                run(&["nobody", "--runtime-env", &format!("secret:{secret}")]),
            ),
            (
                "a variable without a name",
                run(&["nobody", "--runtime-env", &format!("secret:={secret}")]),
            ),
            (
                "a project file that is none",
                not_yaml.cli(&env).args(["apply"]),
            ),
            (
                "a program that is not there",
                no_main.cli(&env).args(["apply"]),
            ),
            (
                "a program that ends badly",
                broken("exits_three")?.cli(&env).args(["apply"]),
            ),
            (
                "a program that creates nothing",
                broken("creates_nothing")?.cli(&env).args(["apply"]),
            ),
            (
                "a file that is no resource",
                broken("writes_garbage")?.cli(&env).args(["apply"]),
            ),
            (
                "apply without a server",
                fixture
                    .cli(&env)
                    .env("STIGMER_SERVER_ADDR", NOBODY)
                    .args(["apply"]),
            ),
            ("no skill", env.cli().args(["skill", "push"])),
            ("no such agent", env.cli().args(["agent", "get", "nobody"])),
            (
                "no such execution",
                env.cli().args(["execution", "watch", "nobody"]),
            ),
            (
                "no such setting",
                env.cli().args(["config", "get", "nothing"]),
            ),
            ("a place that is taken", fixture.cli(&env).args(["new"])),
        ];
        for (what, cli) in cases {
            t.step(what);
            let plain = cli.clone().run().await?;
            refusal.check(&plain)?;
            let debug = cli.args(["--debug"]).run().await?;
            refusal.check(&debug)?;
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
