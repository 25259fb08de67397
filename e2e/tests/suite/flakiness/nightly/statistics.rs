//! Bounds that need many rounds, and rounds beside a load.

use std::{collections::BTreeMap, time::Duration};

use stigmer_e2e::harness::story;
use stigmer_e2e_flakes::{Report, StopRule, Stress};

use crate::flakiness::rounds::{QUICK, report};
use crate::pipeline::Inner;

/// What a test of this tier may take, less its own teardown.
const LONG: Duration = Duration::from_secs(14 * 60);

#[test]
fn flk_04_thirty_clean_rounds_allow_ten_per_cent_and_only_a_hundred_and_fifty_pass_a_gate_of_two() {
    story(async |t| {
        for (rounds, bound, code) in [(30, 0.10, 100), (150, 0.02, 0)] {
            let flaky = Inner::of(&t, &[QUICK])?
                .rounds(StopRule::After { rounds }, &[], Some(0.02))
                .within(LONG)
                .run()
                .await?;
            flaky.output.exited_with(code)?;
            let report = report(&flaky)?;
            let test = &report.tests[0];
            assert_eq!((test.rate.failures, test.rate.runs), (0, rounds));
            assert_eq!(report.proofs, rounds);
            assert!(
                test.rate.upper <= bound,
                "{rounds} rounds: {}",
                test.rate.upper
            );
            let told = flaky.text("flaky.txt")?;
            let line = format!("0 of {rounds} rounds failed: 0 %, at most");
            assert!(told.contains(&line), "{told}");
            if code != 0 {
                let cause = report.cause.unwrap_or_default();
                assert!(cause.contains("needs 149"), "{cause}");
            }
        }
        Ok(())
    });
}

/// The verdict of each test in each round.
fn verdicts(report: &Report) -> BTreeMap<&str, &[u64]> {
    let tests = report.tests.iter();
    tests
        .map(|test| (test.test.as_str(), test.failed_in.as_slice()))
        .collect()
}

#[test]
fn flk_08_with_the_processor_four_times_oversubscribed_and_a_busy_disk_verdicts_stay_the_same() {
    story(async |t| {
        let filters = ["SMK", "RUN-01", "RUN-02", "WCA-01", "STR-01"];
        let calm = Inner::of(&t, &filters)?
            .with(|plan| plan.allow_skip = true)
            .rounds(StopRule::After { rounds: 1 }, &[], None)
            .within(LONG / 3)
            .run()
            .await?;
        calm.output.exited_with(0)?;
        t.step("the same beside four busy threads per core and a disk that syncs");
        let stressed = Inner::of(&t, &filters)?
            .with(|plan| plan.allow_skip = true)
            .rounds(
                StopRule::After { rounds: 1 },
                &[Stress::Cpu, Stress::Disk],
                None,
            )
            .within(LONG / 2)
            .run()
            .await?;
        stressed.output.exited_with(0)?;
        let (calm, stressed) = (report(&calm)?, report(&stressed)?);
        assert!(calm.tests.len() > 10, "only {} tests", calm.tests.len());
        assert_eq!(verdicts(&calm), verdicts(&stressed));
        t.step("the load was there");
        let used = |kind| stressed.stress.iter().find(|used| used.kind == kind);
        let (cpu, disk) = (used(Stress::Cpu), used(Stress::Disk));
        assert!(cpu.is_some_and(|cpu| cpu.cpu_seconds > 10.0), "{cpu:?}");
        assert!(disk.is_some_and(|disk| disk.written_mb > 64), "{disk:?}");
        t.fact("median_ms_calm", calm.tests[0].median_ms);
        t.fact("median_ms_stressed", stressed.tests[0].median_ms);
        Ok(())
    });
}
