//! Memory and open files of processes, looked at while they work.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(200);

/// A process to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// What it is called.
    pub name: String,
    /// Its pid.
    pub pid: u32,
}

/// What a process used while it was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessUse {
    /// What it is called.
    pub name: String,
    /// Resident memory at first, in MiB.
    pub first_mib: f64,
    /// The most resident memory, in MiB.
    pub peak_mib: f64,
    /// Resident memory at last, in MiB.
    pub last_mib: f64,
    /// Open files at first.
    pub first_files: usize,
    /// The most open files.
    pub peak_files: usize,
    /// Open files at last.
    pub last_files: usize,
}

/// One look at one process: a line of `processes.jsonl`.
#[derive(Clone, Debug, Serialize)]
struct Look {
    at_ms: u64,
    level: usize,
    name: String,
    resident_mib: f64,
    files: usize,
}

/// A thread that looks, so that a busy runtime does not keep it from looking.
#[derive(Debug)]
pub struct Watching {
    stop: Sender<()>,
    thread: JoinHandle<io::Result<Vec<Look>>>,
    watched: Vec<Watched>,
}

impl Watching {
    /// Looks at `watched` until [`stop`](Self::stop), and adds each look to `file`, marked with `level`.
    pub fn start(watched: Vec<Watched>, file: &Utf8Path, level: usize) -> io::Result<Self> {
        let mut file = File::options().create(true).append(true).open(file)?;
        let (stop, stopped) = mpsc::channel();
        let looked_at = watched.clone();
        let begin = Instant::now();
        let thread = std::thread::spawn(move || {
            let (mut looks, mut ends) = (Vec::new(), false);
            loop {
                let at_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
                for one in &looked_at {
                    let look = look(one, at_ms, level)?;
                    writeln!(file, "{}", serde_json::to_string(&look)?)?;
                    looks.push(look);
                }
                if ends {
                    return Ok(looks);
                }
                // The last look comes after the stop.
                ends = !matches!(stopped.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout));
            }
        });
        Ok(Self {
            stop,
            thread,
            watched,
        })
    }

    /// Looks once more, and says what each process used.
    ///
    /// # Errors
    ///
    /// When a process was not there any more, or the file could not be written.
    pub fn stop(self) -> io::Result<Vec<ProcessUse>> {
        drop(self.stop);
        let looks = self
            .thread
            .join()
            .map_err(|_| io::Error::other("it panicked"))??;
        let used = self.watched.iter().map(|one| used(&one.name, &looks));
        Ok(used.collect())
    }
}

fn used(name: &str, looks: &[Look]) -> ProcessUse {
    let own: Vec<&Look> = looks.iter().filter(|look| look.name == name).collect();
    let (first, last) = (own[0], own[own.len() - 1]);
    let peak = own.iter().map(|look| look.resident_mib).fold(0.0, f64::max);
    ProcessUse {
        name: name.to_owned(),
        first_mib: first.resident_mib,
        peak_mib: peak,
        last_mib: last.resident_mib,
        first_files: first.files,
        peak_files: own.iter().map(|look| look.files).max().unwrap_or_default(),
        last_files: last.files,
    }
}

fn look(watched: &Watched, at_ms: u64, level: usize) -> io::Result<Look> {
    let folder = format!("/proc/{}", watched.pid);
    let gone = |error: io::Error| io::Error::other(format!("{} ({folder}): {error}", watched.name));
    let status = fs::read_to_string(format!("{folder}/status")).map_err(gone)?;
    let files = fs::read_dir(format!("{folder}/fd")).map_err(gone)?;
    Ok(Look {
        at_ms,
        level,
        name: watched.name.clone(),
        resident_mib: resident_mib(&status)
            .ok_or_else(|| gone(io::Error::other("it has ended")))?,
        files: files.count(),
    })
}

/// Resident memory according to `/proc/<pid>/status`; a process that has ended has none.
fn resident_mib(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Watched {
        Watched {
            name: "own".to_owned(),
            pid: std::process::id(),
        }
    }

    #[test]
    fn growth_and_peaks_of_memory_and_files_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(folder.path()).unwrap().join("p.jsonl");
        let watching = Watching::start(vec![own()], &file, 10).unwrap();
        // The first look is over once it is in the file.
        while fs::read_to_string(&file).unwrap_or_default().is_empty() {
            std::thread::yield_now();
        }
        let held = vec![1u8; 32 << 20];
        let open: Vec<File> = (0..20).map(|_| File::open("/dev/null").unwrap()).collect();
        let used = watching.stop().unwrap();
        drop((std::hint::black_box(held), open));
        let [own] = &used[..] else { panic!("{used:?}") };
        assert!(
            own.last_mib >= own.first_mib + 30.0 && own.peak_mib >= own.last_mib,
            "{own:?}"
        );
        assert!(
            own.last_files >= own.first_files + 10 && own.peak_files >= own.last_files,
            "{own:?}"
        );
        assert!(fs::read_to_string(&file).unwrap().lines().count() >= 2);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(folder.path()).unwrap().join("p.jsonl");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (name, pid) = ("brief".to_owned(), child.id());
        child.wait().unwrap();
        let watching = Watching::start(vec![Watched { name, pid }], &file, 1).unwrap();
        let error = watching.stop().unwrap_err().to_string();
        assert!(error.starts_with("brief ("), "{error}");
    }

    #[test]
    fn memory_is_read_from_the_kernels_words() {
        assert_eq!(resident_mib("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2.0));
        assert_eq!(resident_mib("Name:\tx\nState:\tZ (zombie)\n"), None);
    }
}
