//! The faults there are.

macro_rules! catalogue {
    ($($(#[doc = $what:literal])+ $fault:ident = $name:literal,)+) => {
        /// A promise that can be broken on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[doc = $what])+ $fault,)+
        }

        impl Fault {
            /// All of them.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$fault),+];

            /// Its name, as it is armed by.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$fault => $name,)+
                }
            }
        }
    };
}

catalogue! {
    /// agent-runner: an execution is COMPLETED with the first word of its answer.
    CompletedTooEarly = "completed-too-early",
    /// agent-runner: the last message is not in the record of a completed execution.
    MessageDropped = "message-dropped",
    /// agent-runner: a tool call is on record twice.
    ToolCallTwice = "tool-call-twice",
    /// agent-runner: a temperature of 0 is not sent to the model.
    TemperatureDropped = "temperature-dropped",
    /// agent-runner: earlier executions of a session are not told to the model.
    MemoryLost = "memory-lost",
    /// agent-runner: the values of variables, secret or not, are written to the log.
    SecretLogged = "secret-logged",
    /// agent-runner: the program of an MCP server is not ended with its execution.
    ProcessLeft = "process-left",
    /// server: secret values leave by the API as they are.
    MaskOff = "mask-off",
    /// server: an agent notes its own id as that of its default instance.
    WrongInstance = "wrong-instance",
    /// server: watchers are not told that an execution has ended.
    TerminalUpdateLost = "terminal-update-lost",
    /// server: a default wins over what the caller of an execution gave.
    EnvironmentReversed = "environment-reversed",
    /// server: whoever is cancelled is stored as such, and works on.
    CancelIgnored = "cancel-ignored",
    /// server: every page of a list is the first.
    FirstPageOnly = "first-page-only",
    /// server: a Temporal that went away is never looked for again.
    NeverReconnects = "never-reconnects",
    /// CLI: an error is told, and the exit code is 0.
    ExitZero = "exit-zero",
    /// CLI: a dry run stores what it shows.
    StoredOnDryRun = "stored-on-dry-run",
    /// workflow-runner: the last branch of a fork is left out.
    BranchSkipped = "branch-skipped",
    /// workflow-runner: a loop ends after its first iteration.
    LoopOnce = "loop-once",
    /// workflow-runner: a switch takes its first case, whatever that asks for.
    WrongCase = "wrong-case",
    /// workflow-runner: an error passes the catch that is there for it.
    CatchIgnored = "catch-ignored",
}
