//! Whoever started the supervisor: at the other end of its standard input and output.

use std::{
    io::{self, BufRead, Write},
    thread,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::daemon::Settings;

/// The line with which the owner lets go of a supervisor that is ready.
pub const LET_GO: &str = "let go";

/// What the supervisor says, a line of JSON on its standard output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Message {
    /// Everything works.
    Ready,
    /// Something does not, and everything is stopped again.
    Failed(String),
}

/// The owner of this process.
pub struct Owner {
    last_word: Option<oneshot::Receiver<bool>>,
    told: bool,
}

impl Owner {
    /// Reads the settings that the owner gives first, and listens for its last word.
    pub fn introduce() -> Result<(Settings, Self)> {
        let mut line = String::new();
        io::stdin()
            .read_line(&mut line)
            .context("failed to read the settings from standard input")?;
        let settings = serde_json::from_str(&line)
            .context("the settings on standard input are not those of 'stigmer server start', which starts this")?;
        let (sender, last_word) = oneshot::channel();
        thread::Builder::new()
            .name("owner".to_owned())
            .spawn(move || {
                let mut line = String::new();
                let read = io::stdin().lock().read_line(&mut line);
                // Nobody listens any more when the supervisor is ending.
                let _ = sender.send(read.is_ok() && line.trim_end() == LET_GO);
            })?;
        let owner = Self {
            last_word: Some(last_word),
            told: false,
        };
        Ok((settings, owner))
    }

    /// Resolves when the owner is gone without having let go; never once it has.
    pub async fn gone(&mut self) {
        if let Some(last_word) = &mut self.last_word {
            let let_go = last_word.await.unwrap_or(false);
            self.last_word = None;
            if !let_go {
                return;
            }
        }
        std::future::pending().await
    }

    /// Tells the owner the outcome of the start, once.
    pub fn tell(&mut self, message: &Message) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        // A message of texts is JSON. An owner that is gone does not hear it.
        let json = serde_json::to_string(message).expect("a message is JSON");
        let mut stdout = io::stdout().lock();
        let _ = writeln!(stdout, "{json}").and_then(|()| stdout.flush());
    }
}
