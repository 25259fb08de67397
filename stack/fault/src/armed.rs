//! Which fault this process has, and that it was come by.

use std::{
    env,
    fs::OpenOptions,
    io::Write,
    process::exit,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Fault;

/// Names the fault.
const FAULT_VARIABLE: &str = "STIGMER_FAULT";
/// Names the file to which a process adds a line when its fault does damage for the first time. Not
/// standard error: a test may look at that, and would fail for the wrong reason.
const TRACE_VARIABLE: &str = "STIGMER_FAULT_TRACE";

/// Whether the environment of this process names `fault`. The caller does its damage then.
pub fn is_armed(fault: Fault) -> bool {
    static ARMED: OnceLock<Option<Fault>> = OnceLock::new();
    let armed = *ARMED.get_or_init(read) == Some(fault);
    if armed {
        trace(fault);
    }
    armed
}

/// The fault that the environment names; a process that is told of none that exists ends.
fn read() -> Option<Fault> {
    let name = env::var(FAULT_VARIABLE)
        .ok()
        .filter(|name| !name.is_empty())?;
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    if fault.is_none() {
        eprintln!(
            "Error: {FAULT_VARIABLE} names no fault: {name:?}; `cargo xtask mutants --list` names them"
        );
        exit(2);
    }
    fault
}

fn trace(fault: Fault) {
    static TRACED: AtomicBool = AtomicBool::new(false);
    let Some(file) = env::var_os(TRACE_VARIABLE) else {
        return;
    };
    if TRACED.swap(true, Ordering::Relaxed) {
        return;
    }
    let line = format!("{} {}\n", fault.name(), std::process::id());
    // Whoever reads the file takes a fault that is not in it for one that nothing came by, and says so.
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
}
