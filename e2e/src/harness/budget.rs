//! The hard limits of the acceptance list, in one table. Every wait names one of them, and a test's
//! record says how much of it was used.

use std::time::Duration;

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
/// A CLI call that only asks the server or fails early.
pub const COMMAND: Budget = seconds("COMMAND", 15);
/// One unary gRPC call.
pub const CALL: Budget = seconds("CALL", 10);

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
    }
}
