//! What is known about flaky tests, and how more is found out: how many rounds are enough, what the
//! rounds say, what earlier rounds said, which earlier test makes another one fail, which revision made
//! a test fail. The decisions are pure; who carries them out is the driver (rounds) and `xtask`
//! (revisions).

mod circumstances;
mod culprit;
mod minimise;
mod plan;
mod rate;
mod report;
mod round;
mod store;

pub use circumstances::Circumstances;
pub use culprit::{Bisection, Evidence, Step};
pub use minimise::{Minimised, minimise};
pub use plan::{FlakyPlan, PolluterPlan, Share, Stop, StopRule, Stress};
pub use rate::Rate;
pub use report::{Kind, Report, RoundLine, StressUsed, TestRate};
pub use round::{Execution, PROOFS, Proof, Round, begun};
pub use store::{Entry, Store, TestCount};
