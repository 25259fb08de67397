//! What the parts of a stack use, looked at again and again, and whether it grows.

use std::{collections::BTreeMap, fs, io};

use serde_json::json;
use stigmer_e2e::{
    ensure,
    harness::{CheckError, Environment, Part, QUEUES, Test},
};
use stigmer_e2e_numbers::slope;

/// What one part uses at one moment.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct Use {
    resident_kib: f64,
    threads: f64,
    files: f64,
}

impl Use {
    fn of(part: &Part) -> io::Result<Self> {
        let folder = format!("/proc/{}", part.pid());
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let told = |value: Option<f64>| value.ok_or_else(|| io::Error::other(status.clone()));
        Ok(Self {
            resident_kib: told(number("VmRSS:"))?,
            threads: told(number("Threads:"))?,
            files: fs::read_dir(format!("{folder}/fd"))?.count() as f64,
        })
    }
}

/// How much may be used more for each unit of the axis, in the long run.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Resident memory of a part, in KiB.
    pub resident_kib: f64,
    /// Threads of a part, and open files of it.
    pub handles: f64,
}

/// Looks at an environment along an axis: runs, or minutes.
pub struct Growth {
    env: Environment,
    looks: BTreeMap<&'static str, Vec<(f64, Use)>>,
    store: Vec<(f64, f64)>,
    pids: Vec<u32>,
    pollers: usize,
}

impl Growth {
    /// Has not looked yet. No queue may get more pollers than it has now, and no part another process.
    pub async fn watch(env: &Environment) -> Result<Self, CheckError> {
        Ok(Self {
            env: env.clone(),
            looks: BTreeMap::new(),
            store: Vec::new(),
            pids: env.parts().map(Part::pid).collect(),
            pollers: pollers(env).await?,
        })
    }

    /// Looks at `at` of the axis.
    pub async fn look(&mut self, at: f64) -> Result<(), CheckError> {
        let pids: Vec<u32> = self.env.parts().map(Part::pid).collect();
        ensure!(
            pids == self.pids,
            "the parts are {pids:?}, and were {:?}",
            self.pids
        );
        for part in self.env.parts() {
            let looks = self.looks.entry(part.component().name()).or_default();
            looks.push((at, Use::of(part)?));
        }
        let pollers = pollers(&self.env).await?;
        ensure!(
            pollers <= self.pollers,
            "{pollers} pollers at {at}, {} at first",
            self.pollers
        );
        let file = self.env.store().path().to_owned();
        let log = fs::metadata(format!("{file}-wal")).map_or(0, |it| it.len());
        self.store
            .push((at, (fs::metadata(&file)?.len() + log) as f64));
        Ok(())
    }

    /// Nothing grows by more than `bounds`; keeps the slopes and the looks as facts, with `unit` of the
    /// axis.
    pub fn check(&self, t: &Test, unit: &str, bounds: Bounds) -> Result<(), CheckError> {
        let mut findings = Vec::new();
        for (part, looks) in &self.looks {
            for (what, bound, value) in [
                (
                    "KiB resident",
                    bounds.resident_kib,
                    (|it| it.resident_kib) as fn(&Use) -> f64,
                ),
                ("threads", bounds.handles, |it| it.threads),
                ("open files", bounds.handles, |it| it.files),
            ] {
                let points: Vec<_> = looks.iter().map(|(at, used)| (*at, value(used))).collect();
                let slope = slope(&points).unwrap_or(f64::INFINITY);
                t.fact(
                    &format!("{part}: {what} per {unit}"),
                    json!((slope * 1e3).round() / 1e3),
                );
                if slope > bound {
                    findings.push(format!(
                        "{part}: {slope:.3} {what} more with each {unit}, at most {bound}"
                    ));
                }
            }
            t.fact(&format!("{part}: looks"), json!(looks));
        }
        ensure!(findings.is_empty(), "{}", findings.join("; "));
        Ok(())
    }

    /// Bytes of the store per unit of the axis in the first and in the second half of the looks.
    pub fn bytes_stored(&self) -> Option<(f64, f64)> {
        let (first, second) = self.store.split_at(self.store.len() / 2);
        Some((slope(first)?, slope(second)?))
    }
}

/// How many poll all queues of the stack together; each has at least one.
async fn pollers(env: &Environment) -> Result<usize, CheckError> {
    let mut all = 0;
    for (queue, kind) in QUEUES {
        let found = env.temporal().pollers(queue.default, kind).await?.len();
        ensure!(found > 0, "nobody polls {} ({kind:?} tasks)", queue.default);
        all += found;
    }
    Ok(all)
}
