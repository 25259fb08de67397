//! Completion scripts.

use std::fs;

use camino::Utf8Path;
use stigmer_e2e::harness::{CheckError, Test, story};

/// What bash offers for the last of `words` once it has read `script`.
async fn offered(t: &Test, script: &Utf8Path, words: &str) -> Result<Vec<String>, CheckError> {
    let last = words.split(' ').next_back().unwrap_or_default();
    let count = words.split(' ').count() - 1;
    // What bash itself does when the tab key is pressed.
    let program = format!(
        "source {script}\n\
         COMP_WORDS=({words} {empty})\n\
         COMP_CWORD={count}\n\
         $(complete -p stigmer | sed 's/.*-F \\([^ ]*\\) .*/\\1/') stigmer '{last}' ''\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        empty = if last.is_empty() { "''" } else { "" },
    );
    let output = t
        .command(Utf8Path::new("/bin/bash"))
        .args(["--norc", "-c", &program])
        .run()
        .await?;
    output.exited_with(0)?;
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn ext_12_completion_scripts_parse_and_complete() {
    story(async |t| {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            t.step(shell);
            let output = t.cli().args(["completion", shell]).run().await?;
            output.exited_with(0)?.says("stigmer")?;
            assert_eq!(output.stderr, "");
            fs::write(t.folder().join(shell), &output.stdout)?;
        }
        t.step("bash takes its script and completes with it");
        let script = t.folder().join("bash");
        let bash = t.command(Utf8Path::new("/bin/bash"));
        bash.args(["-n", script.as_str()])
            .run()
            .await?
            .exited_with(0)?;
        assert_eq!(offered(&t, &script, "stigmer app").await?, ["apply"]);
        let commands = offered(&t, &script, "stigmer agent ").await?;
        for command in ["list", "get", "delete"] {
            assert!(commands.iter().any(|word| word == command), "{commands:?}");
        }
        let flags = offered(&t, &script, "stigmer apply --dr").await?;
        assert_eq!(flags, ["--dry-run"]);
        t.step("what is no shell is refused");
        let output = t.cli().args(["completion", "teletype"]).run().await?;
        output.exited_with(1)?;
        assert_eq!(
            (output.stdout.as_str(), output.error_lines().len()),
            ("", 1)
        );
        Ok(())
    });
}
