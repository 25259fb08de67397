//! What exactly was run: binaries with version and hash, revision of the checkout, host.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stigmer_e2e_plan::{Plan, read_json, write_json};

/// How long `--version` may take.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// What exactly was run.
#[derive(Clone, Debug, Serialize)]
pub struct Provenance {
    /// Every program of the run.
    pub binaries: Vec<Binary>,
    /// The checkout; nothing when it is no Git repository or Git is missing.
    pub git: Option<Git>,
    /// The machine.
    pub host: Host,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binary {
    /// What it is for, such as `server`.
    pub name: String,
    /// The file that it was built or fetched as; a build may have replaced it meanwhile.
    pub path: Utf8PathBuf,
    /// What `--version` prints; nothing for the suite, which has no such flag.
    pub version: Option<String>,
    /// SHA-256 of what was run, in hex.
    pub sha256: String,
}

/// A program of a run.
pub struct Program {
    /// What it is for, such as `server`.
    pub name: String,
    /// The file that is run.
    pub file: Utf8PathBuf,
    /// What that was built as.
    pub built_as: Utf8PathBuf,
}

/// The checkout.
#[derive(Clone, Debug, Serialize)]
pub struct Git {
    /// The commit.
    pub revision: String,
    /// Whether files differ from the commit.
    pub dirty: bool,
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory in megabytes; nothing when unknown.
    pub memory_mb: Option<u64>,
    /// The operating system.
    pub os: String,
    /// The kernel's release; nothing when unknown.
    pub kernel: Option<String>,
    /// The processor model; nothing when unknown.
    pub cpu: Option<String>,
}

/// Every program of `plan`, and this one, which is `driver`.
pub fn programs_of(plan: &Plan, driver: &Utf8PathBuf) -> Vec<Program> {
    let tools = &plan.tools;
    let mut named = plan.parts();
    named.push(("suite", &plan.suite));
    if plan.server.is_none() {
        named.push(("temporal", &tools.temporal));
    }
    named.extend([("nextest", &tools.nextest), ("cargo", &tools.cargo)]);
    named.extend(tools.llm.is_some().then_some(("python", &tools.python)));
    named.push(("driver", driver));
    let program = |(name, file): (&str, &Utf8PathBuf)| Program {
        name: name.to_owned(),
        file: file.clone(),
        built_as: plan.built_as.get(file).unwrap_or(file).clone(),
    };
    named.into_iter().map(program).collect()
}

impl Provenance {
    /// Looks at everything. Hashes are kept in `cache` and taken from there while size and time of a
    /// file stay the same. Blocks: for milliseconds with a warm cache, else for a second or two.
    pub fn gather(root: &Utf8Path, programs: Vec<Program>, cache: &Utf8Path) -> Result<Self> {
        // A cache that cannot be read is a cold one.
        let mut known: BTreeMap<Utf8PathBuf, Known> = read_json(cache).unwrap_or_default();
        let before = known.clone();
        let binaries = programs
            .into_iter()
            .map(|program| binary(program, &mut known))
            .collect::<Result<_>>()?;
        if known != before {
            write_json(cache, &known)?;
        }
        Ok(Self {
            binaries,
            git: git(root),
            host: host(),
        })
    }
}

/// What is known about a file as long as it does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    size: u64,
    modified: SystemTime,
    sha256: String,
    version: Option<String>,
}

fn binary(program: Program, known: &mut BTreeMap<Utf8PathBuf, Known>) -> Result<Binary> {
    let Program {
        name,
        file,
        built_as,
    } = program;
    let metadata = file
        .metadata()
        .with_context(|| format!("failed to look at {file}"))?;
    let (size, modified) = (metadata.len(), metadata.modified()?);
    let entry = match known
        .get(&built_as)
        .filter(|known| known.size == size && known.modified == modified)
    {
        Some(entry) => entry.clone(),
        None => {
            // A test binary would take the flag for a test filter and run tests.
            let version = if name == "suite" {
                None
            } else {
                version(&file)
            };
            Known {
                size,
                modified,
                sha256: sha256(&file)?,
                version,
            }
        }
    };
    known.insert(built_as.clone(), entry.clone());
    Ok(Binary {
        name,
        path: built_as,
        version: entry.version,
        sha256: entry.sha256,
    })
}

fn sha256(path: &Utf8Path) -> Result<String> {
    let read = || {
        let mut file = File::open(path)?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok::<_, std::io::Error>(hash.finalize()),
                n => hash.update(&buffer[..n]),
            }
        }
    };
    let digest = read().with_context(|| format!("failed to read {path}"))?;
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What each program of the stack says about itself, by its name: version and build. All are asked at
/// the same time; one that does not answer is left out.
pub fn versions_of(plan: &Plan) -> BTreeMap<String, String> {
    std::thread::scope(|scope| {
        let parts = plan.parts().into_iter();
        let asked: Vec<_> = parts
            .map(|(name, path)| (name, scope.spawn(move || version(path))))
            .collect();
        let told = asked.into_iter().filter_map(|(name, answer)| {
            // A thread that panicked learned nothing.
            Some((name.to_owned(), answer.join().ok()??))
        });
        told.collect()
    })
}

/// The first line of `<path> --version`, unless it fails or hangs.
fn version(path: &Utf8Path) -> Option<String> {
    let mut command = Command::new(path);
    command
        .arg("--version")
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().ok()?;
    let begin = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begin.elapsed() > VERSION_LIMIT {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child
        .wait_with_output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .next()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
}

fn git(root: &Utf8Path) -> Option<Git> {
    let ask = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(root)
            .args(arguments)
            .stderr(std::process::Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    Some(Git {
        revision: ask(&["rev-parse", "HEAD"])?,
        dirty: !ask(&["status", "--porcelain"])?.is_empty(),
    })
}

fn host() -> Host {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(
            line.split_once([':', '='])?
                .1
                .trim()
                .trim_matches('"')
                .to_owned(),
        )
    };
    let memory = read("/proc/meminfo").and_then(|text| field(&text, "MemTotal"));
    Host {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_mb: memory
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
            .map(|kb| kb / 1024),
        os: read("/etc/os-release")
            .and_then(|text| field(&text, "PRETTY_NAME"))
            .unwrap_or_else(|| format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
        cpu: read("/proc/cpuinfo").and_then(|text| field(&text, "model name")),
    }
}

#[cfg(test)]
mod tests;
