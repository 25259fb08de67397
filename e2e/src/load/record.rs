//! The file that a load leaves.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::{LoadPlan, Mix};

use super::{Knee, Point, ProcessUse, Timed, knee};

/// A load of one mix, level by level: `load/load.json` in the folder of its test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadRecord {
    /// What was executed.
    pub mix: Mix,
    /// What was asked for.
    pub plan: LoadPlan,
    /// The levels, ascending.
    pub levels: Vec<LevelRecord>,
    /// The level after which more at once is only more waiting.
    pub knee: Option<Knee>,
}

/// One level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRecord {
    /// How many executions were under way at once.
    pub at_once: usize,
    /// The executions.
    pub stack: Timed,
    /// As many bare Temporal workflows, as many at once.
    pub temporal: Timed,
    /// As many direct calls to the model, as many at once; only where agents are in the mix.
    pub model: Option<Timed>,
    /// The parts of the stack, and the run's Temporal, meanwhile.
    pub processes: Vec<ProcessUse>,
}

impl LoadRecord {
    /// Puts `levels` on record.
    pub fn of(mix: Mix, plan: &LoadPlan, levels: Vec<LevelRecord>) -> Self {
        let points: Vec<Point> = levels.iter().map(LevelRecord::point).collect();
        Self {
            mix,
            plan: plan.clone(),
            knee: knee(&points),
            levels,
        }
    }

    /// The folder of a load in the folder of its test.
    pub fn folder(test: &Utf8Path) -> Utf8PathBuf {
        test.join("load")
    }

    /// The file in the folder of its test.
    pub fn file(test: &Utf8Path) -> Utf8PathBuf {
        Self::folder(test).join("load.json")
    }
}

impl LevelRecord {
    fn point(&self) -> Point {
        Point {
            at_once: self.at_once,
            per_second: self.stack.per_second,
            p99_ms: self.stack.p99_ms,
        }
    }
}
