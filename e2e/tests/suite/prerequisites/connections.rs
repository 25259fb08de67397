//! What is started for a test, and what it shares, talks to nobody but this machine.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs, io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use stigmer_e2e::{
    harness::{Expectation, Gate, Probe, Reply, Test, budget::AGENT, story},
    supervise::leftovers,
};

use crate::{fixture::Deployed, then};

/// Remote addresses in the system's hexadecimal form, by the name of the program.
type Remotes = BTreeMap<String, BTreeSet<String>>;

/// Looks at the processes of a test and the shared services again and again, until it is dropped.
struct Watch(Arc<Mutex<Remotes>>);

impl Watch {
    fn start(t: &Test) -> Self {
        let seen = Arc::new(Mutex::new(Remotes::new()));
        let (weak, runs) = (
            Arc::downgrade(&seen),
            HashSet::from([t.session().run_id.clone()]),
        );
        let test = t.name().to_owned();
        thread::spawn(move || {
            while let Some(seen) = weak.upgrade() {
                // A look that failed is missed by the test: it waits for what has to be seen.
                if let Ok(now) = look(&runs, &test) {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    for (program, remotes) in now {
                        seen.entry(program).or_default().extend(remotes);
                    }
                }
                drop(seen);
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self(seen)
    }

    fn seen(&self) -> Remotes {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn look(runs: &HashSet<String>, test: &str) -> io::Result<Remotes> {
    let suite = std::env::current_exe()?;
    let mut all = Remotes::new();
    for process in leftovers::find(runs)? {
        let pid = process.identity.pid;
        // A process may end while it is looked at.
        let (Ok(program), Ok(environment), Ok(remotes)) = (
            fs::read_link(format!("/proc/{pid}/exe")),
            fs::read(format!("/proc/{pid}/environ")),
            remote_addresses(pid),
        ) else {
            continue;
        };
        // Other tests may talk to a model that the user gave, wherever that is.
        if program == suite || test_in(&environment).is_some_and(|other| other != test) {
            continue;
        }
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        all.entry(name.into_owned()).or_default().extend(remotes);
    }
    Ok(all)
}

/// The test that a process was started for; shared services were started for none.
fn test_in(environment: &[u8]) -> Option<&str> {
    environment.split(|byte| *byte == 0).find_map(|pair| {
        std::str::from_utf8(pair)
            .ok()?
            .strip_prefix("STIGMER_E2E_TEST=")
    })
}

/// The remote addresses of the TCP connections of a process.
fn remote_addresses(pid: u32) -> io::Result<BTreeSet<String>> {
    let mut inodes = HashSet::new();
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // A descriptor may be closed while it is looked at.
        let Ok(target) = fs::read_link(descriptor?.path()) else {
            continue;
        };
        let inode = target
            .to_str()
            .and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'));
        inodes.extend(inode.map(str::to_owned));
    }
    let mut remotes = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        for line in text.lines().skip(1) {
            let fields = line.split_whitespace().collect::<Vec<_>>();
            if fields.get(9).is_some_and(|inode| inodes.contains(*inode)) {
                remotes.extend(fields[2].split(':').next().map(str::to_owned));
            }
        }
    }
    Ok(remotes)
}

/// Loopback, or nobody yet.
fn is_local(remote: &str) -> bool {
    const LOOPBACK_4: &str = "0100007F";
    const LOOPBACK_6: &str = "00000000000000000000000001000000";
    const LOOPBACK_4_IN_6: &str = "0000000000000000FFFF00000100007F";
    [LOOPBACK_4, LOOPBACK_6, LOOPBACK_4_IN_6].contains(&remote) || is_nobody(remote)
}

/// The other side of a listener.
fn is_nobody(remote: &str) -> bool {
    remote.bytes().all(|byte| byte == b'0')
}

/// Names of the programs that have to be seen with a connection while an agent is run.
fn connected(t: &Test) -> Vec<String> {
    let session = t.session();
    let stack = &session.stack;
    [
        &stack.cli,
        &stack.server,
        &stack.agent_runner,
        &session.temporal.cli,
    ]
    .iter()
    .filter_map(|program| program.file_name().map(str::to_owned))
    .collect()
}

#[test]
fn pre_08_no_process_of_a_test_connects_to_anything_but_this_machine() {
    story(async |t| {
        let watch = Watch::start(&t);
        let env = t.environment().start().await?;
        let gate = Gate::closed();
        let reply = Reply::nothing()
            .then("Half, ")
            .then_wait(&gate)
            .then("whole.");
        env.llm()
            .expect(Expectation::message_containing("Be watched.", reply));
        Deployed::apply(&t, &env, "01").await?;
        t.step("run an agent that waits until every program was seen at work");
        let run = env
            .cli()
            .args(["run", "code-reviewer", "--message", "Be watched."])
            .spawn()?;
        let needed = connected(&t);
        let all_seen = t
            .eventually("every program was seen connected", AGENT, async || {
                let seen = watch.seen();
                let missing = needed.iter().filter(|program| {
                    let remotes = seen.get(*program);
                    !remotes.is_some_and(|all| all.iter().any(|remote| !is_nobody(remote)))
                });
                match missing.collect::<Vec<_>>().as_slice() {
                    [] => Probe::Done(()),
                    missing => Probe::NotYet(format!("{missing:?} not seen among {seen:?}")),
                }
            })
            .await;
        gate.open();
        all_seen?;
        let output = run.finish().await?;
        output.exited_with(0)?;
        then::completed(&env, &then::started(&env, &output).await?, AGENT).await?;
        t.step("look at all that was seen");
        let seen = watch.seen();
        let foreign = seen
            .iter()
            .filter(|(_, remotes)| !remotes.iter().all(|remote| is_local(remote)))
            .collect::<Vec<_>>();
        assert!(foreign.is_empty(), "connected to others: {foreign:?}");
        t.fact(
            "programs_watched",
            seen.into_keys().collect::<Vec<_>>().join(", "),
        );
        Ok(())
    });
}
