//! The gRPC calls that pass a link: how many of each method, and which of them go wrong. Pure, but for
//! its lock and the note of what was planned.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tonic::Code;

use crate::harness::{edge::Gate, faults};

/// What a test does to some calls of a method.
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    which: RangeInclusive<usize>,
    effect: Effect,
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// It passes after this time.
    Delay(Duration),
    /// It passes when the gate opens.
    Hold(Gate),
    /// It ends like this and the backend never sees it.
    Refuse(Code),
    /// The backend does what it is asked, and whoever asked sees this.
    Lose(Code),
    /// It is none that may pass, and the backend never sees it.
    Forbid,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.which.start(), self.which.end());
        write!(f, "calls {first} to {last} of {} are ", self.method)?;
        match &self.effect {
            Effect::Delay(time) => write!(f, "delayed by {time:?}"),
            Effect::Hold(_) => f.write_str("held"),
            Effect::Refuse(code) => write!(f, "refused with {code:?}"),
            Effect::Lose(code) => write!(f, "done, and answered with {code:?}"),
            Effect::Forbid => f.write_str("forbidden"),
        }
    }
}

impl Fault {
    /// A fault of the `which` calls of `method` (`package.Service/Method`) that come from now on,
    /// counted from 1. Without a further word they pass.
    pub fn of(method: &str, which: RangeInclusive<usize>) -> Self {
        Self {
            method: method.to_owned(),
            which,
            effect: Effect::Delay(Duration::ZERO),
        }
    }

    /// They end with `code`, and the backend never sees them.
    #[must_use]
    pub fn refused(self, code: Code) -> Self {
        self.with(Effect::Refuse(code))
    }

    /// The backend does what they ask for, and its answer is lost: they end with `code`.
    #[must_use]
    pub fn lost(self, code: Code) -> Self {
        self.with(Effect::Lose(code))
    }

    /// They pass after `time`.
    #[must_use]
    pub fn delayed(self, time: Duration) -> Self {
        self.with(Effect::Delay(time))
    }

    /// They pass when `gate` opens.
    #[must_use]
    pub fn held(self, gate: &Gate) -> Self {
        self.with(Effect::Hold(gate.clone()))
    }

    fn with(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }
}

/// The calls of one link.
#[derive(Debug, Default)]
pub struct Calls(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<String, usize>,
    faults: Vec<Planned>,
    /// Which methods may pass; any, if nobody said.
    only: Option<fn(&str) -> bool>,
    forbidden: BTreeSet<String>,
}

#[derive(Debug)]
struct Planned {
    fault: Fault,
    /// Calls of its method since it was planned.
    seen: usize,
}

impl Calls {
    /// Lets only calls of methods (`package.Service/Method`) pass that `may_pass` accepts. The backend
    /// never sees any other, and [`forbidden`](Self::forbidden) tells them.
    pub(in crate::harness) fn only(&self, may_pass: fn(&str) -> bool) {
        self.state().only = Some(may_pass);
    }

    /// The methods of calls that came and were not let pass.
    pub(in crate::harness) fn forbidden(&self) -> BTreeSet<String> {
        self.state().forbidden.clone()
    }

    /// Plans a fault. Of several that fit a call, the one that was planned first decides.
    pub fn fault(&self, fault: Fault) {
        faults::note(fault.to_string());
        self.state().faults.push(Planned { fault, seen: 0 });
    }

    /// How many calls of `method` (`package.Service/Method`) came so far, faults included.
    pub fn count(&self, method: &str) -> usize {
        self.state().counts.get(method).copied().unwrap_or_default()
    }

    /// How many calls of each method came so far.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.state().counts.clone()
    }

    /// Counts a call; what becomes of it, unless it just passes.
    pub(super) fn arrived(&self, method: &str) -> Option<Effect> {
        let mut state = self.state();
        *state.counts.entry(method.to_owned()).or_default() += 1;
        if state.only.is_some_and(|may_pass| !may_pass(method)) {
            state.forbidden.insert(method.to_owned());
            return Some(Effect::Forbid);
        }
        let of_method = state
            .faults
            .iter_mut()
            .filter(|it| it.fault.method == method);
        let mut effect = None;
        for planned in of_method {
            planned.seen += 1;
            if effect.is_none() && planned.fault.which.contains(&planned.seen) {
                effect = Some(planned.fault.effect.clone());
            }
        }
        effect
    }

    /// Faults that are not over, one line each: calls that a test waited for in vain.
    pub(in crate::harness) fn unused(&self) -> Vec<String> {
        let state = self.state();
        let unused = state
            .faults
            .iter()
            .filter(|it| it.seen < *it.fault.which.end());
        unused
            .map(|Planned { fault, seen }| {
                format!(
                    "a fault was planned for calls {:?} of {}, and only {seen} came",
                    fault.which, fault.method
                )
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_calls_of_a_method_go_wrong_and_all_are_counted() {
        let calls = Calls::default();
        assert!(calls.arrived("a.S/M").is_none());
        calls.fault(Fault::of("a.S/M", 2..=3).refused(Code::Unavailable));
        let went_wrong = |method: &str| calls.arrived(method).is_some();
        assert!(!went_wrong("a.S/M") && !went_wrong("a.S/Other"));
        assert!(went_wrong("a.S/M") && went_wrong("a.S/M"));
        assert!(!went_wrong("a.S/M"));
        assert_eq!((calls.count("a.S/M"), calls.count("a.S/Other")), (5, 1));
        assert_eq!(calls.count("a.S/Never"), 0);
    }

    #[test]
    fn where_only_some_methods_may_pass_the_others_do_not_and_are_told() {
        let calls = Calls::default();
        calls.only(|method| method.ends_with("/get"));
        assert!(calls.arrived("a.S/get").is_none());
        assert!(matches!(calls.arrived("a.S/delete"), Some(Effect::Forbid)));
        assert_eq!(calls.forbidden(), ["a.S/delete".to_owned()].into());
        assert_eq!(calls.count("a.S/delete"), 1);
    }

    #[test]
    fn a_fault_whose_calls_did_not_all_come_is_told() {
        let calls = Calls::default();
        calls.fault(Fault::of("a.S/M", 1..=2).lost(Code::Unavailable));
        calls.arrived("a.S/M");
        assert_eq!(
            calls.unused(),
            ["a fault was planned for calls 1..=2 of a.S/M, and only 1 came"]
        );
        calls.arrived("a.S/M");
        assert!(calls.unused().is_empty());
    }
}
