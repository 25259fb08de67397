//! Section 8 of the acceptance list: what goes wrong is said, and leaves nothing behind.

mod creation;
mod debugging;
mod invalid_input;
mod invalid_workflows;
mod programs;
mod projects;
mod runner;
mod unreachable;

use std::io;

use stigmer_e2e::{
    ensure,
    harness::{Broken, CliOutput},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Standard error holds `text`. Not the whole output: there the command repeats what it was given.
fn complains(output: &CliOutput, text: &str) -> Result<(), Broken> {
    ensure!(
        output.stderr.contains(text),
        "the standard error of `{}` does not hold {text:?}: {:?}",
        output.command_line,
        output.stderr
    );
    Ok(())
}

/// The address of a server that takes connections and never answers, for as long as the task lives.
async fn silent_server() -> io::Result<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let silence = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Ok((address, silence))
}
