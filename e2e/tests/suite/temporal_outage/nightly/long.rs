//! Temporal is away for minutes.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, Environment, Part, story},
};
use tokio::{net::TcpListener, time::sleep};

use super::super::{Subjects, degraded, processes, recovers};

/// How long it is away.
const OUTAGE: Duration = Duration::from_secs(300);

/// After this long nothing warms up any more: memory is measured from here on.
const WARM: Duration = Duration::from_secs(60);

/// The longest wait between two attempts of the server, and what an attempt itself may take.
const LONGEST: Duration = Duration::from_secs(30);
const ATTEMPT: Duration = Duration::from_secs(2);

/// Fewer lines than this may be logged meanwhile, by each part.
const LINES: usize = 60;

/// What memory may differ by at any two moments, in KiB: pages come and go.
const FLAT: usize = 4 * 1024;

/// Stands where Temporal was: takes every connection, writes down when, and ends it at once.
struct Ruin {
    address: String,
    visits: Arc<Mutex<Vec<Instant>>>,
}

impl Ruin {
    async fn build() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let visits = Arc::new(Mutex::new(Vec::new()));
        let book = visits.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                drop(visitor);
                let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
                book.push(Instant::now());
            }
        });
        Ok(Self { address, visits })
    }

    /// The waits between attempts, the first first. What comes within a second is one attempt.
    fn waits(&self) -> Vec<Duration> {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = visits.windows(2).map(|pair| pair[1] - pair[0]);
        waits
            .filter(|wait| *wait > Duration::from_secs(1))
            .collect()
    }
}

/// Temporal is replaced by `ruin`, also for connections that are open.
fn lead_to(env: &Environment, ruin: &str) -> std::io::Result<()> {
    env.link().retarget(ruin);
    env.link().cut();
    env.link().restore()
}

fn lines(part: &Part) -> std::io::Result<usize> {
    Ok(fs::read_to_string(part.log())?.lines().count())
}

/// Resident memory of a part in KiB.
fn memory(part: &Part) -> Result<usize, CheckError> {
    let status = fs::read_to_string(format!("/proc/{}/status", part.pid()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
    kib.ok_or_else(|| Broken("the system does not tell memory".to_owned()).into())
}

#[test]
fn tmp_08_five_minutes_without_temporal_cost_few_attempts_few_lines_and_no_memory() {
    story(async |t| {
        let (alone, whole) = tokio::try_join!(
            t.environment().over_link().without_runners().start(),
            t.environment().over_link().start()
        )?;
        let subjects = Subjects::create(&whole).await?;
        subjects.complete(&whole, "before the outage").await?;
        let before = processes(&whole)?;
        t.step("Temporal is replaced by somebody who ends every connection");
        let (of_server, of_all) = tokio::try_join!(Ruin::build(), Ruin::build())?;
        let logged = whole.parts().map(lines).collect::<Result<Vec<_>, _>>()?;
        let gone = Instant::now();
        lead_to(&alone, &of_server.address)?;
        lead_to(&whole, &of_all.address)?;
        degraded(&whole).await?;
        sleep(WARM.saturating_sub(gone.elapsed())).await;
        let warm = whole.parts().map(memory).collect::<Result<Vec<_>, _>>()?;
        t.step("the rest of the five minutes");
        sleep(OUTAGE.saturating_sub(gone.elapsed())).await;
        for ((part, warm), logged) in whole.parts().zip(warm).zip(logged) {
            let name = part.component().name();
            let now = memory(part)?;
            t.fact(
                &format!("{name}: KiB after {WARM:?} and {OUTAGE:?}"),
                format!("{warm} {now}"),
            );
            ensure!(
                now <= warm + FLAT,
                "{name} grew from {warm} to {now} KiB while Temporal was away"
            );
            let more = lines(part)? - logged;
            t.fact(&format!("{name}: lines"), more);
            ensure!(more < LINES, "{name} logged {more} lines meanwhile");
        }
        t.step("the waits of the server grew to 30 s and no more");
        let waits = of_server.waits();
        t.fact("waits of the server", format!("{waits:.1?}"));
        let longest = waits.iter().max().copied().unwrap_or_default();
        ensure!(
            longest <= LONGEST + ATTEMPT && longest >= LONGEST / 2,
            "the longest wait was {longest:?}: {waits:?}"
        );
        ensure!(
            waits.last() >= waits.first(),
            "the waits did not grow: {waits:?}"
        );
        t.step("Temporal is back");
        let temporal = &t.session().temporal.address;
        let back = Instant::now();
        lead_to(&alone, temporal)?;
        lead_to(&whole, temporal)?;
        recovers(&whole, &subjects, "after the outage", back).await?;
        assert_eq!(processes(&whole)?, before);
        Ok(())
    });
}
