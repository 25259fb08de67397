//! The documented exit codes of every verb (`docs/results.md`).

/// Why a verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done and passed.
    Success = 0,
    /// A defect of the pipeline itself.
    Internal = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No test ran: the filter matched nothing, or every test was skipped.
    NothingRan = 4,
    /// A prerequisite is missing, other than Python.
    PrerequisiteMissing = 96,
    /// A pinned tool could not be had, or is not what the pin says; pins contradict each other.
    ProvisionFailed = 97,
    /// A shared service did not become ready, or died, also while it was coming up.
    ServiceFailed = 98,
    /// The results folder cannot be written.
    ResultsUnwritable = 99,
    /// At least one test failed.
    TestsFailed = 100,
    /// The build failed.
    BuildFailed = 101,
    /// Something was left behind after `down`.
    Leftovers = 102,
    /// Formatting, lints, or unit tests failed (`cargo xtask test`).
    ChecksFailed = 103,
    /// There is no Python that will do, or it has no pip.
    PythonMissing = 104,
    /// A disk is full, or too full for what is about to be done.
    DiskFull = 105,
    /// The cache of pinned tools cannot be written.
    CacheUnwritable = 106,
    /// A pinned tool is there, and does not start or does not do what it should.
    ToolBroken = 107,
    /// A shared service found every port taken that it tried.
    PortTaken = 108,
    /// A deliberate fault was noticed by no test (`cargo xtask mutants`).
    FaultSurvived = 109,
    /// A benchmark became slower (`cargo xtask bench`), or a limit is broken (`cargo xtask load`).
    Regression = 111,
    /// Something tried to reach another machine, in a run that is cut off from all of them.
    TriedToLeave = 112,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl ExitCode {
    /// What another driver or `xtask` process ended with; [`ExitCode::Internal`] for anything that
    /// neither of them ends with, such as a signal.
    pub fn of(code: Option<i32>) -> Self {
        const ALL: [ExitCode; 20] = [
            ExitCode::Success,
            ExitCode::Usage,
            ExitCode::NothingRan,
            ExitCode::PrerequisiteMissing,
            ExitCode::ProvisionFailed,
            ExitCode::ServiceFailed,
            ExitCode::ResultsUnwritable,
            ExitCode::TestsFailed,
            ExitCode::BuildFailed,
            ExitCode::Leftovers,
            ExitCode::ChecksFailed,
            ExitCode::PythonMissing,
            ExitCode::DiskFull,
            ExitCode::CacheUnwritable,
            ExitCode::ToolBroken,
            ExitCode::PortTaken,
            ExitCode::Regression,
            ExitCode::FaultSurvived,
            ExitCode::TriedToLeave,
            ExitCode::Interrupted,
        ];
        ALL.into_iter()
            .find(|known| Some(*known as i32) == code)
            .unwrap_or(Self::Internal)
    }
}
