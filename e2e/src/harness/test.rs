//! The handle a story holds: its folder, its record, its environments.

mod waiting;

use std::{
    fs,
    io::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_e2e_flakes::{PROOFS, Proof};

use super::{
    Broken, ExpectedError, Failure, GivenServer, Journal,
    benchmark::Benchmark,
    budget::Budget,
    cli::Cli,
    edge::reached_at,
    environment::{Builder, Environment, settings},
    faults,
    record::{Stage, TestRecord, Verdict, function_name},
    secrets::Secrets,
    shared_logs::SharedLogs,
};
use crate::{rng::SplitMix64, session::Session};

/// An address where nobody listens: a port that only the superuser could open.
pub const NOBODY: &str = "127.0.0.1:1";

/// Writes down that the test `name` runs, for whoever counts executions and trusts no report.
fn prove(name: &str, session: &Session) -> std::io::Result<()> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let proof = Proof {
        test: name.to_owned(),
        pid: std::process::id(),
        at: since_1970.map_or(0, |time| time.as_micros() as u64),
    };
    let line = serde_json::to_string(&proof)? + "\n";
    // One write at the end of the file: tests that begin at the same time do not mix their lines.
    fs::File::options()
        .append(true)
        .create(true)
        .open(session.results.join(PROOFS))?
        .write_all(line.as_bytes())
}

/// One running test. Clones are handles of the same one.
#[derive(Clone)]
pub struct Test(Arc<Inner>);

struct Inner {
    name: String,
    folder: Utf8PathBuf,
    session: Session,
    start: Instant,
    record: Mutex<TestRecord>,
    environments: Mutex<Vec<Environment>>,
    given_servers: Mutex<Vec<GivenServer>>,
    environment_count: AtomicUsize,
    transcript_count: AtomicUsize,
    secrets: Secrets,
    expected_errors: Mutex<Vec<ExpectedError>>,
    shared_logs: SharedLogs,
    grpc: Journal,
    llm: Journal,
    hub: Journal,
}

impl Test {
    /// Begins the test `name` with an empty folder of its own in the run's results.
    pub(super) fn begin(name: &str, session: Session) -> Result<Self, Broken> {
        let folder = session.results.join("tests").join(function_name(name));
        if let Some(containers) = &session.containers {
            reached_at(containers.host());
        }
        let start = Instant::now();
        let secrets = Secrets::default();
        let prepare = || -> anyhow::Result<[Journal; 4]> {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => fs::create_dir_all(&folder)?,
            }
            let journal = |name| Journal::open(&folder.join(name), start, secrets.clone());
            Ok([
                journal("grpc.jsonl")?,
                journal("llm.jsonl")?,
                journal("hub.jsonl")?,
                journal("faults.jsonl")?,
            ])
        };
        prove(name, &session)
            .map_err(|error| Broken(format!("failed to write that {name} runs: {error}")))?;
        let [grpc, llm, hub, broken] =
            prepare().map_err(|error| Broken(format!("failed to prepare {folder}: {error:#}")))?;
        faults::record_into(broken);
        let mut record = TestRecord::new(name, session.seed, session.again(function_name(name)));
        record.binaries = session.versions.clone();
        record.enter_phase("setup", Duration::ZERO);
        record.save(&folder, &secrets);
        let shared_logs = SharedLogs::mark(&session);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            folder,
            session,
            start,
            record: Mutex::new(record),
            environments: Mutex::default(),
            given_servers: Mutex::default(),
            environment_count: AtomicUsize::new(0),
            transcript_count: AtomicUsize::new(0),
            secrets,
            expected_errors: Mutex::default(),
            shared_logs,
            grpc,
            llm,
            hub,
        })))
    }

    /// A private environment, to be adjusted and started.
    pub fn environment(&self) -> Builder {
        Builder::new(self.clone())
    }

    /// The CLI of a person who has no server: a HOME of the test's own, and an address where nobody
    /// listens.
    pub fn cli(&self) -> Cli {
        self.command(&self.session().stack.cli)
            .env("STIGMER_SERVER_ADDR", NOBODY)
    }

    /// Any program, run as a developer would who has the Rust toolchain and an empty HOME.
    pub fn command(&self, program: &Utf8Path) -> Cli {
        let home = self.folder().join("home");
        // A folder that cannot be made is told by the command, which starts there.
        let _ = fs::create_dir_all(&home);
        let mut variables = settings::common(self, &home);
        variables.extend(settings::developer(self.session()));
        Cli::new(self.clone(), program.to_owned(), home, variables)
    }

    /// Begins the next sentence of the story.
    pub fn step(&self, text: impl Into<String>) {
        let (text, at_ms) = (self.0.secrets.mask(&text.into()), self.elapsed_ms());
        println!("{:>8.3} s  {text}", at_ms as f64 / 1000.0);
        self.update(|record| record.steps.push(super::record::Step { text, at_ms }));
    }

    /// A value for the secret `name` that no other test has. It must not be written anywhere: the
    /// harness writes its name instead, and the test fails when teardown finds the value in a file of
    /// the test's folder.
    pub fn secret(&self, name: &str) -> String {
        let number = self.0.secrets.len() as u64;
        let chance = SplitMix64::new(self.random().next_u64() ^ number).next_u64();
        let value = format!(
            "marker-{}-{chance:016x}",
            name.to_lowercase().replace('_', "-")
        );
        self.0.secrets.add(name, &value);
        value
    }

    /// Which secrets are in which files of the test's folder now, one line each.
    pub fn leaked_secrets(&self) -> Vec<String> {
        self.0.secrets.leaks(self.folder())
    }

    /// Says that `component`, such as `stigmer-server`, has to log an error with `text` during this test,
    /// because `reason`. Any other line of level ERROR in the log of a part fails the test, and so does
    /// it when this one never comes.
    pub fn expects_error(&self, component: &str, text: &str, reason: &str) {
        let expected = ExpectedError::new(component, text, reason);
        lock(&self.0.expected_errors).push(expected);
    }

    /// Says that `component` may log any error during this test, because `reason`.
    pub fn allows_errors(&self, component: &str, reason: &str) {
        let expected = ExpectedError::new(component, "", reason).if_any();
        lock(&self.0.expected_errors).push(expected);
    }

    /// Keeps a fact for the report.
    pub fn fact(&self, name: &str, value: impl Into<Value>) {
        self.update(|record| {
            record.facts.insert(name.to_owned(), value.into());
        });
    }

    /// Keeps what was measured for `cargo xtask bench`.
    pub fn benchmark(&self, benchmark: Benchmark) {
        self.update(|record| record.benchmarks.push(benchmark));
    }

    /// Writes down that the fixture `id` came through `stage`, for the table of fixtures.
    pub fn covers(&self, id: &str, stage: Stage) {
        self.update(|record| {
            record
                .fixtures
                .entry(id.to_owned())
                .or_default()
                .insert(stage);
        });
    }

    /// Ends the story without a verdict, because `reason`. Only a run with `--allow-skip` lets that
    /// pass; in any other it is a failure.
    #[track_caller]
    pub fn skip(&self, reason: &str) -> Failure {
        if self.session().allow_skip {
            Failure::skip(reason)
        } else {
            Failure::new(format!(
                "{reason}; run with --allow-skip to skip what cannot be run"
            ))
        }
    }

    /// The run this test belongs to.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// The test's folder in the results.
    pub fn folder(&self) -> &Utf8Path {
        &self.0.folder
    }

    /// The test's path in the suite.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Since the test began.
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// A source of chance: the same for the same test and seed.
    pub fn random(&self) -> SplitMix64 {
        // FNV-1a: the standard library's hasher may change from release to release.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let name = self.0.name.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        SplitMix64::new(self.0.session.seed ^ name)
    }

    /// Whether this test is looked into more thoroughly at its end: its server is restarted, and its
    /// workflows are replayed. The seed chooses; every test of the nightly tier is.
    pub(super) fn is_inspected(&self) -> bool {
        let every = self.0.session.inspect_every;
        every > 0 && self.random().next_u64().is_multiple_of(every)
    }

    pub(super) fn expected_errors(&self) -> Vec<ExpectedError> {
        lock(&self.0.expected_errors).clone()
    }

    pub(super) fn shared_logs(&self) -> &SharedLogs {
        &self.0.shared_logs
    }

    pub(super) fn spend(&self, budget: Budget, what: &str, used: Duration) {
        let began = self.elapsed().saturating_sub(used);
        self.update(|record| record.spend(budget, what, began, used));
    }

    /// The first environment works: what follows is the story itself.
    pub(super) fn begin_body(&self) {
        let at = self.elapsed();
        self.update(|record| {
            if record.phases.len() == 1 {
                record.enter_phase("body", at);
            }
        });
    }

    pub(super) fn begin_teardown(&self) {
        let at = self.elapsed();
        self.update(|record| {
            if record.phases.len() == 1 {
                // There was nothing to set up.
                record.phases.clear();
                record.enter_phase("setup", Duration::ZERO);
                record.enter_phase("body", Duration::ZERO);
            }
            record.enter_phase("teardown", at);
        });
    }

    /// Changes the record and writes it.
    pub(super) fn update(&self, change: impl FnOnce(&mut TestRecord)) {
        let mut record = lock(&self.0.record);
        change(&mut record);
        record.save(&self.0.folder, &self.0.secrets);
    }

    pub(super) fn finish(&self, verdict: Verdict) -> TestRecord {
        let at = self.elapsed();
        self.update(|record| {
            record.enter_phase("", at);
            record.verdict = verdict;
            record.ms = Some(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        });
        lock(&self.0.record).clone()
    }

    pub(super) fn adopt(&self, environment: Environment) {
        lock(&self.0.environments).push(environment);
    }

    /// The number of the next environment, from 1.
    pub(super) fn next_environment(&self) -> usize {
        self.0.environment_count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where the transcript of the next command goes.
    pub(super) fn next_transcript(&self, verb: &str) -> Utf8PathBuf {
        let number = self.0.transcript_count.fetch_add(1, Ordering::Relaxed) + 1;
        let verb = verb
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect::<String>();
        self.0.folder.join(format!("cli/{number:02}-{verb}.txt"))
    }

    /// Takes the environments over for teardown, which also breaks the circle of handles.
    pub(super) fn take_environments(&self) -> Vec<Environment> {
        std::mem::take(&mut *lock(&self.0.environments))
    }

    pub(super) fn keep_given_server(&self, server: &GivenServer) {
        lock(&self.0.given_servers).push(server.clone());
    }

    /// Takes the servers of others over for teardown, which also breaks the circle of handles.
    pub(super) fn take_given_servers(&self) -> Vec<GivenServer> {
        std::mem::take(&mut *lock(&self.0.given_servers))
    }

    pub(super) fn environments(&self) -> Vec<Environment> {
        lock(&self.0.environments).clone()
    }

    pub(super) fn grpc_journal(&self) -> Journal {
        self.0.grpc.clone()
    }

    pub(super) fn llm_journal(&self) -> Journal {
        self.0.llm.clone()
    }

    pub(super) fn hub_journal(&self) -> Journal {
        self.0.hub.clone()
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking test was doing must not hide its record.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
