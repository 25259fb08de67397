//! The command line itself: help, examples, and what is no command.

use stigmer_e2e::harness::{CliError, CliOutput, Test, story};

/// Every command of the contract, nested ones included.
const COMMANDS: &[&str] = &[
    "agent",
    "agent delete",
    "agent get",
    "agent list",
    "apply",
    "backend",
    "backend set",
    "backend status",
    "completion",
    "config",
    "config get",
    "config list",
    "config path",
    "config set",
    "execution",
    "execution cancel",
    "execution delete",
    "execution get",
    "execution list",
    "execution watch",
    "new",
    "run",
    "server",
    "server llm",
    "server llm list",
    "server llm pull",
    "server llm status",
    "server logs",
    "server restart",
    "server start",
    "server status",
    "server stop",
    "skill",
    "skill push",
    "workflow",
    "workflow delete",
    "workflow get",
    "workflow list",
];

#[test]
fn smk_06_help_is_there_and_its_examples_parse() {
    story(async |t| {
        t.step("no arguments, and --help");
        t.cli().run().await?.exited_with(0)?;
        let help = t.cli().args(["--help"]).run().await?;
        help.exited_with(0)?;
        let mut ahead = subcommands(&help.stdout);
        let (mut documented, mut tried) = (Vec::new(), 0);
        while let Some(command) = ahead.pop() {
            t.step(format!("stigmer {command} --help"));
            let words = command.split(' ').chain(["--help"]);
            let help = t.cli().args(words).run().await?;
            help.exited_with(0)?;
            let nested = subcommands(&help.stdout).into_iter();
            ahead.extend(nested.map(|nested| format!("{command} {nested}")));
            for example in examples(&help.stdout) {
                assert_parses(&t, &example).await?.exited_with(0)?;
                tried += 1;
            }
            documented.push(command);
        }
        documented.sort();
        assert_eq!(documented, COMMANDS);
        assert!(tried >= 20, "the help texts show only {tried} examples");
        Ok(())
    });
}

/// Words of the lines below `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let words = lines
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next());
    // `help` is another way of asking for --help and takes none itself.
    words
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

/// The arguments of every `stigmer` command below `Examples:`.
fn examples(help: &str) -> Vec<Vec<String>> {
    let lines = help
        .lines()
        .skip_while(|line| !line.starts_with("Examples:"));
    let commands = lines.map(|line| line.trim().trim_start_matches("$ "));
    commands
        .filter_map(|line| line.strip_prefix("stigmer "))
        .map(words)
        .collect()
}

/// A command line as a shell splits it, as far as the help texts need: spaces, quotes, and a comment
/// at the end.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        let word = words.last_mut().expect("there is always a word");
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '#') if word.is_empty() => break,
            (None, ' ') => words.push(String::new()),
            (_, c) => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A trailing `--help` is reached only when everything before it parses.
async fn assert_parses(t: &Test, arguments: &[String]) -> Result<CliOutput, CliError> {
    t.cli()
        .args(arguments.iter().cloned())
        .args(["--help"])
        .run()
        .await
}

#[test]
fn smk_07_an_unknown_word_is_one_error_line_and_exit_code_1() {
    story(async |t| {
        for arguments in [
            &["bogus"][..],
            &["--bogus"],
            &["apply", "--bogus"],
            &["run", "--message"],
            &["apply", "extra", "words"],
        ] {
            let output = t.cli().args(arguments.iter().copied()).run().await?;
            output.exited_with(1)?;
            assert_eq!(output.stdout, "", "{arguments:?} wrote to standard output");
            let errors = output.error_lines();
            assert_eq!(errors.len(), 1, "{arguments:?}: {errors:?}");
            assert!(
                errors[0].starts_with("Error: "),
                "{arguments:?}: {errors:?}"
            );
        }
        Ok(())
    });
}
