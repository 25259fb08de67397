//! Secrets are written nowhere; whoever writes one down fails the test.

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::harness::story;

use crate::{pipeline::Inner, specimen};

/// What the value of the specimen's secret begins with.
const MARKER: &[u8] = b"marker-specimen-";

#[test]
fn log_05_a_secret_in_any_file_of_a_test_fails_it_and_the_harness_writes_none() {
    story(async |t| {
        let failed = specimen::fail(&t, "specimen_lets_a_secret_out").await?;
        let record = failed.record;
        assert!(
            record.failure.is_none(),
            "the story itself failed: {:?}",
            record.failure
        );
        t.step("both files that give it away are named, and only these");
        let mut findings = record.teardown_findings;
        findings.sort();
        let expected = ["encoded", "plain"].map(|file| {
            format!(
                "the value of secret SPECIMEN is in {}",
                failed.folder.join(file)
            )
        });
        assert_eq!(findings, expected);
        t.step("what the test printed and recorded of it has its name in its place");
        failed.output.says("says ‹SPECIMEN›")?;
        let transcripts = failed.folder.join("cli").read_dir_utf8()?;
        for transcript in transcripts {
            let text = std::fs::read_to_string(transcript?.path())?;
            assert!(text.contains("secret:TOKEN=‹SPECIMEN›"), "{text}");
        }
        Ok(())
    });
}

/// The files in `folder` and below that have the marker in them.
fn giving_away(folder: &Utf8Path) -> std::io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            found.extend(giving_away(&path)?);
        } else if path.is_file() {
            let content = std::fs::read(&path)?;
            let has = content.windows(MARKER.len()).any(|part| part == MARKER);
            found.extend(has.then_some(path));
        }
    }
    Ok(found)
}

#[test]
fn log_05_no_file_of_a_run_and_nothing_that_ci_is_shown_has_a_secret() {
    story(async |t| {
        let summary = t.folder().join("step-summary.md");
        let run = Inner::of(&t, &["specimen_lets_a_secret_out"])?
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", summary.as_str())
            .run()
            .await?;
        run.output.exited_with(100)?;
        t.step("only the file in which the test itself wrote it");
        let test = run.results.join("tests/specimen_lets_a_secret_out");
        assert_eq!(giving_away(&run.results)?, [test.join("plain")]);
        for file in ["report.html", "trace.json", "junit.xml", "summary.txt"] {
            let is_told = run.text(file)?.contains("specimen_lets_a_secret_out");
            assert!(is_told || file == "summary.txt", "{file} is of another run");
        }
        t.step("CI is told of the failure, and not the secret");
        run.output
            .says("::error title=specimen_lets_a_secret_out::teardown: the value of secret SPECIMEN is in ")?;
        let summary = std::fs::read_to_string(summary)?;
        assert!(
            summary.contains("the value of secret SPECIMEN is in "),
            "{summary}"
        );
        let shown = format!("{summary}{}{}", run.output.stdout, run.output.stderr);
        assert!(!shown.contains("marker-specimen-"), "{shown}");
        Ok(())
    });
}
