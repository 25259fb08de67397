//! Temporal is down for minutes.

use std::{
    fs,
    time::{Duration, Instant},
};

use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, Environment, NOBODY, Part, story},
};

use super::super::{Subjects, degraded, processes, recovers};

/// How long it is down, and after what part of that the stack has settled.
const OUTAGE: Duration = Duration::from_secs(300);
const SETTLED: Duration = Duration::from_secs(60);

/// The longest wait between two attempts, and what one attempt may take.
const LONGEST_GAP: Duration = Duration::from_secs(30);
const ATTEMPT: Duration = Duration::from_secs(5);

/// Lines that one part may write in that time.
const LOG_LINES: usize = 60;

/// By how much memory may grow, in KiB.
const GROWTH: u64 = 8 * 1024;

fn log_lines(part: &Part) -> Result<usize, CheckError> {
    Ok(fs::read_to_string(part.log())?.lines().count())
}

/// The memory of a process, in KiB.
fn memory(part: &Part) -> Result<u64, CheckError> {
    let status = fs::read_to_string(format!("/proc/{}/status", part.ready().pid))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    Ok(number.ok_or_else(|| Broken(format!("no VmRSS in {status}")))?)
}

fn each<T>(
    env: &Environment,
    measure: impl Fn(&Part) -> Result<T, CheckError>,
) -> Result<Vec<T>, CheckError> {
    env.parts().map(measure).collect()
}

/// From a second to [`LONGEST_GAP`], and not beyond.
fn check_gaps(attempts: &[Instant]) -> Result<(), Broken> {
    let gaps = attempts.windows(2).map(|pair| pair[1] - pair[0]);
    let gaps = gaps.collect::<Vec<_>>();
    let longest = gaps.iter().max().copied().unwrap_or_default();
    ensure!(
        longest <= LONGEST_GAP + ATTEMPT,
        "{longest:?} between two attempts: {gaps:?}"
    );
    // The waits have jitter, and a wait can be made of several connections.
    ensure!(longest > LONGEST_GAP / 2, "the gaps never grew: {gaps:?}");
    let late = &gaps[gaps.len().saturating_sub(3)..];
    ensure!(
        late.iter().max() == Some(&longest) || late.iter().any(|gap| *gap > LONGEST_GAP / 2),
        "the gaps shrank: {gaps:?}"
    );
    Ok(())
}

#[test]
fn tmp_08_an_outage_of_five_minutes_costs_little_and_ends_with_it() {
    story(async |t| {
        let (alone, whole) = tokio::try_join!(
            t.environment().over_link().without_runners().start(),
            t.environment().over_link().start(),
        )?;
        let subjects = Subjects::create(&whole).await?;
        subjects.complete(&whole, "before the outage").await?;
        let before = processes(&whole)?;
        let lines = each(&whole, log_lines)?;
        t.step("down for five minutes");
        let gone = Instant::now();
        whole.link().cut();
        // Whoever connects to this one is hung up on, so that attempts can be counted.
        alone.link().cut();
        alone.link().retarget(NOBODY);
        alone.link().restore()?;
        tokio::try_join!(degraded(&alone), degraded(&whole))?;
        tokio::time::sleep(SETTLED.saturating_sub(gone.elapsed())).await;
        let settled = each(&whole, memory)?;
        tokio::time::sleep(OUTAGE.saturating_sub(gone.elapsed())).await;
        t.step("what it cost");
        let grown = each(&whole, memory)?;
        for ((part, before), after) in whole.parts().zip(settled).zip(grown) {
            let name = part.component().name();
            assert!(
                after <= before + GROWTH,
                "{name} grew from {before} to {after} KiB"
            );
        }
        for ((part, before), after) in whole.parts().zip(lines).zip(each(&whole, log_lines)?) {
            let name = part.component().name();
            assert!(
                after - before < LOG_LINES,
                "{name} wrote {} lines",
                after - before
            );
        }
        let mut attempts = alone.link().accepted();
        attempts.retain(|at| *at > gone);
        check_gaps(&attempts)?;
        t.step("back");
        whole.link().restore()?;
        recovers(&whole, &subjects, "after the outage", Instant::now()).await?;
        assert_eq!(processes(&whole)?, before);
        Ok(())
    });
}
