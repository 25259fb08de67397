use std::process::{Child, Command};

use super::*;

const VARIABLE: &str = "STIGMER_SUPERVISE_TEST";

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    (folder, path)
}

fn sleeper() -> (Child, Identity) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let identity = Identity::of(child.id()).unwrap();
    (child, identity)
}

fn dead_owner() -> Option<Identity> {
    Identity::own().map(|own| Identity {
        start: own.start.wrapping_sub(1),
        ..own
    })
}

fn write_lease(folder: &Utf8Path, owner: Option<Identity>, identity: Identity) {
    let processes = vec![LeasedProcess {
        name: "temporal".into(),
        identity,
    }];
    write(
        &folder.join("old.json"),
        &Record {
            run_id: "old".into(),
            owner,
            processes,
        },
    )
    .unwrap();
}

#[test]
fn reconcile_kills_what_a_dead_owner_left() {
    let (_keep, folder) = folder();
    let (mut child, identity) = sleeper();
    write_lease(&folder, dead_owner(), identity);
    assert_eq!(
        reconcile(&folder, VARIABLE).unwrap(),
        Reconciled {
            runs: vec!["old".into()],
            killed: 1
        }
    );
    assert!(!child.wait().unwrap().success());
    assert_eq!(
        reconcile(&folder, VARIABLE).unwrap(),
        Reconciled::default(),
        "the lease is gone"
    );
}

#[test]
fn reconcile_leaves_a_recycled_pid_alone() {
    let (_keep, folder) = folder();
    let (mut child, identity) = sleeper();
    write_lease(
        &folder,
        dead_owner(),
        Identity {
            start: identity.start.wrapping_sub(1),
            ..identity
        },
    );
    assert_eq!(
        reconcile(&folder, VARIABLE).unwrap(),
        Reconciled {
            runs: vec!["old".into()],
            killed: 0
        }
    );
    assert!(child.try_wait().unwrap().is_none(), "a stranger was killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn reconcile_leaves_a_live_owner_alone() {
    let (_keep, folder) = folder();
    let (mut child, identity) = sleeper();
    write_lease(&folder, Identity::own(), identity);
    assert_eq!(reconcile(&folder, VARIABLE).unwrap(), Reconciled::default());
    assert!(
        child.try_wait().unwrap().is_none(),
        "a live run's process was killed"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_lease_lists_what_runs_and_vanishes_when_given_back() {
    let (_keep, folder) = folder();
    let own = Identity::own().unwrap();
    let mut lease = Lease::take(&folder, "r1").unwrap();
    lease.add("temporal", own).unwrap();
    assert_eq!(
        leased(&folder, "r1"),
        [LeasedProcess {
            name: "temporal".into(),
            identity: own
        }]
    );
    lease.remove(own).unwrap();
    assert_eq!(leased(&folder, "r1"), []);
    lease.give_back().unwrap();
    assert!(!folder.join("r1.json").exists());
}

#[test]
fn a_torn_lease_is_removed_and_stops_nothing() {
    let (_keep, folder) = folder();
    fs::write(folder.join("torn.json"), "{").unwrap();
    assert_eq!(reconcile(&folder, VARIABLE).unwrap(), Reconciled::default());
    assert!(!folder.join("torn.json").exists());
}
