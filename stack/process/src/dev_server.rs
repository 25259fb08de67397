//! The Temporal dev server, as whoever runs one for the stack tells it to be.

/// Arguments of the Temporal CLI for a dev server that is quick on one machine and knows of nobody's
/// configuration. Where it listens and what it keeps is up to the caller.
pub const DEV_SERVER: [&str; 14] = [
    "server",
    "start-dev",
    "--log-level",
    "warn",
    // The user's own configuration of the Temporal CLI is about other servers.
    "--disable-config-file",
    "--disable-config-env",
    // The transfer queue is otherwise polled 20 times a second, which adds 100 ms to every workflow.
    "--dynamic-config-value",
    "history.transferProcessorMaxPollRPS=1000",
    // A queue has four partitions otherwise, which are loaded and forward to each other: twice the work
    // for every namespace, and nothing gained on one machine.
    "--dynamic-config-value",
    "matching.numTaskqueueReadPartitions=1",
    "--dynamic-config-value",
    "matching.numTaskqueueWritePartitions=1",
    // Once in some thousand times a wait for the end of a workflow misses it, and learns of it only
    // when its long poll expires: after 20 s otherwise.
    "--dynamic-config-value",
    "history.longPollExpirationInterval=\"1s\"",
];

/// A variable for it: without, it asks its makers for a newer version at every start.
pub const NO_VERSION_CHECK: (&str, &str) = ("TEMPORAL_VERSION_CHECK_DISABLED", "1");
