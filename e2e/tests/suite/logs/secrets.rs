//! Secrets are written nowhere; whoever writes one down fails the test.

use stigmer_e2e::harness::story;

use crate::specimen;

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
