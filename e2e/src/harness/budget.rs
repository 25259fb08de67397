//! The hard limits of the acceptance list, in one table. Every wait names one of them, and a test's
//! record says how much of it was used.

use std::time::Duration;

use stigmer_e2e_plan::Tier;

/// A named limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its name in the acceptance list.
    pub name: &'static str,
    /// How long the thing may take.
    pub limit: Duration,
}

const fn seconds(name: &'static str, seconds: u64) -> Budget {
    Budget {
        name,
        limit: Duration::from_secs(seconds),
    }
}

/// From spawning the parts to an environment that does work.
pub const START: Budget = seconds("START", 30);
/// From the polite signal to the last exit, without a kill.
pub const STOP: Budget = seconds("STOP", 10);
/// What a stop should take; a slower one is reported, a stop beyond [`STOP`] fails.
pub const STOP_TARGET: Duration = Duration::from_secs(2);
/// One `stigmer apply`, compilation of a small program included.
pub const APPLY: Budget = seconds("APPLY", 15);
/// One workflow execution that calls no agent, against the hub.
pub const WF: Budget = seconds("WF", 60);
/// One agent execution with a scripted model.
pub const AGENT: Budget = seconds("AGENT", 60);
/// One agent execution with a real model.
pub const REAL: Budget = seconds("REAL", 180);
/// From Temporal's return to the first finished execution.
pub const RECON: Budget = seconds("RECON", 60);
/// To a terminal phase when no worker polls.
pub const NOWORKER: Budget = seconds("NOWORKER", 90);
/// One test. It ends itself then, so that its report says where it was; nextest's limit, for a test
/// that cannot, is longer.
pub const TEST: Budget = seconds("TEST", 120);
/// One test that talks to the real model: REAL on top of what any test has.
pub const REAL_TEST: Budget = seconds("REAL + TEST", 300);
/// One test of the nightly tier.
pub const NIGHTLY_TEST: Budget = seconds("NIGHTLY TEST", 900);
/// One test of the weekly tier: the longest idling, and what comes before and after it.
pub const WEEKLY_TEST: Budget = seconds("WEEKLY TEST", 10_800);
/// A CLI call that only asks the server or fails early.
pub const COMMAND: Budget = seconds("COMMAND", 15);
/// One unary gRPC call.
pub const CALL: Budget = seconds("CALL", 10);

/// What the test at `path` in the suite has. The path says it, so that the harness, the driver, and
/// nextest agree: `real_model` in it, or a module `nightly` or `weekly` above the test.
pub fn of_test(path: &str) -> Budget {
    match Tier::of(path) {
        Tier::Weekly => WEEKLY_TEST,
        Tier::Nightly => NIGHTLY_TEST,
        Tier::Commit if path.contains("real_model") => REAL_TEST,
        Tier::Commit => TEST,
    }
}

/// Whether the test at `path` waits most of its time: for a limit of the product, for an outage to
/// last, or for the real model, which answers one test at a time.
pub fn waits(path: &str) -> bool {
    path.contains("real_model") || path.split("::").any(|module| module == "waiting")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule B-0: a limit below what the product itself may legitimately take would turn a slow
    /// success into a failure.
    #[test]
    fn b_0_limits_leave_room_for_the_products_own_timers() {
        let schedule_to_start = Duration::from_secs(60);
        assert!(NOWORKER.limit > schedule_to_start);
        let check_interval = Duration::from_secs(15);
        let longest_backoff = Duration::from_secs(30);
        assert!(RECON.limit > check_interval + longest_backoff);
        let dials = 3 * Duration::from_secs(5);
        let pauses = Duration::from_secs(3);
        assert!(START.limit > dials + pauses);
        assert!(STOP_TARGET < STOP.limit);
        assert!(REAL.limit > AGENT.limit);
        assert!(REAL_TEST.limit >= REAL.limit + TEST.limit);
    }

    #[test]
    fn the_path_of_a_test_says_how_long_it_may_take() {
        assert_eq!(of_test("run::run_01_x"), TEST);
        assert_eq!(of_test("full::real_model::ful_01_x"), REAL_TEST);
        assert_eq!(of_test("run::nightly::run_11_x"), NIGHTLY_TEST);
        assert_eq!(of_test("run::weekly::ext_05_x"), WEEKLY_TEST);
    }
}
