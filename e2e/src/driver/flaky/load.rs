//! Load beside the tests: processes of this program that do nothing but keep the machine busy, within
//! bounds, and end with the run.

use std::{
    fs,
    io::{Seek as _, Write as _},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use stigmer_e2e::supervise::{Child, RUN_VARIABLE, Spec, StopPolicy, log_tail};
use stigmer_e2e_flakes::{FlakyPlan, Stress, StressUsed};

/// Busy threads per core.
const OVERSUBSCRIBED: usize = 4;
/// The most memory that is held: this, and a quarter of what is available.
const MOST_MEMORY: u64 = 1 << 30;
/// What is written before the disk has to have it all.
const FILE: usize = 64 << 20;
const PIECE: usize = 1 << 20;
const PAGE: usize = 4096;
/// Between two walks through the memory: a walk takes a core, which is not what is meant.
const PAUSE: Duration = Duration::from_millis(20);

/// The loads of a run.
pub struct Loads(Vec<(Stress, Child)>);

impl Loads {
    /// Starts what `plan` asks for.
    pub fn start(plan: &FlakyPlan) -> Result<Self> {
        let program = super::super::own_program()?;
        let folder = plan.run.results.join("stress");
        let start = |kind: &Stress| {
            let log = folder.join(format!("{kind}.txt"));
            let spec = Spec::new(format!("stress {kind}"), &program, log)
                .args(["stress", kind.as_str(), "--folder", folder.as_str()])
                .env(RUN_VARIABLE, &plan.run.run_id);
            Ok((*kind, Child::spawn(spec)?))
        };
        Ok(Self(plan.stress.iter().map(start).collect::<Result<_>>()?))
    }

    /// Rounds without the load that was asked for would be worth less than they say.
    pub fn still_there(&mut self) -> Result<()> {
        for (kind, child) in &mut self.0 {
            if let Some(status) = child.try_ended() {
                let tail = log_tail(child.log(), 3).join("; ");
                bail!("the {kind} stress ended with {status}: {tail}");
            }
        }
        Ok(())
    }

    /// Ends them; returns what they did.
    pub async fn stop(&mut self) -> Vec<StressUsed> {
        let used: Vec<_> = self
            .0
            .iter()
            .map(|(kind, child)| used(*kind, child.pid()))
            .collect();
        for (_, child) in &mut self.0 {
            // What does not even end on SIGKILL is the warden's to report.
            let _ = child.stop(StopPolicy::Kill).await;
        }
        used
    }
}

/// What the process `pid` did, as far as the system tells.
fn used(kind: Stress, pid: u32) -> StressUsed {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    // After the program's name, which may hold anything, come state and numbers.
    let stat = read("stat");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let number = |index: usize| {
        fields
            .get(index)
            .and_then(|it| it.parse::<u64>().ok())
            .unwrap_or_default()
    };
    // The kernel tells times in hundredths of a second, on every architecture.
    let cpu_seconds = (number(11) + number(12)) as f64 / 100.0;
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or_default()
    };
    StressUsed {
        kind,
        cpu_seconds,
        written_mb: value(&read("io"), "wchar:") >> 20,
        resident_mb: value(&read("status"), "VmRSS:") >> 10,
    }
}

/// Keeps the machine busy until the process is killed; files go to `folder`.
///
/// # Errors
///
/// When the disk cannot be written.
pub fn stress(kind: Stress, folder: &Utf8Path) -> Result<()> {
    match kind {
        Stress::Cpu => busy(),
        Stress::Memory => hold(),
        Stress::Disk => write(folder),
    }
}

fn busy() -> Result<()> {
    let cores = thread::available_parallelism().context("failed to count the cores")?;
    let spin = || -> Result<()> {
        let mut number = 1u64;
        loop {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
        }
    };
    for _ in 1..cores.get() * OVERSUBSCRIBED {
        thread::spawn(spin);
    }
    spin()
}

fn hold() -> Result<()> {
    let text = fs::read_to_string("/proc/meminfo").context("failed to ask for the memory")?;
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .context("the system does not say how much memory is available")?;
    let bytes = (available * 1024 / 4).min(MOST_MEMORY);
    let mut held = vec![0u8; usize::try_from(bytes)?];
    loop {
        for page in held.chunks_mut(PAGE) {
            page[0] = page[0].wrapping_add(1);
        }
        std::hint::black_box(&mut held);
        thread::sleep(PAUSE);
    }
}

fn write(folder: &Utf8Path) -> Result<()> {
    let path = folder.join("disk.bin");
    let mut file = fs::File::create(&path).with_context(|| format!("failed to create {path}"))?;
    // The file has no name any more, so that it goes with the process.
    fs::remove_file(&path).with_context(|| format!("failed to remove {path}"))?;
    let piece = vec![0xa5u8; PIECE];
    loop {
        for _ in 0..FILE / PIECE {
            file.write_all(&piece)
                .with_context(|| format!("failed to write {path}"))?;
        }
        file.sync_all()
            .with_context(|| format!("failed to sync {path}"))?;
        file.rewind()?;
        file.set_len(0)?;
    }
}
