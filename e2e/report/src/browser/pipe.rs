//! The DevTools protocol over two pipes: no port, nobody else can speak to the browser, and it ends
//! with whoever started it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use camino::Utf8Path;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BrowserError, PATIENCE};

/// Gives the browser our pipes as the file descriptors 3 and 4, where it reads and writes.
const HAND_OVER: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

const FLAGS: [&str; 9] = [
    "--headless=new",
    // It shows nothing but files of ours, and as root it does not start with one.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
];

/// A browser, and the ways to and from it.
#[derive(Debug)]
pub struct Pipe {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    last: u64,
    /// What it told without being asked.
    pub events: Vec<Value>,
    _profile: TempDir,
}

impl Pipe {
    /// Starts the browser `program`.
    pub fn start(program: &Utf8Path) -> Result<Self, BrowserError> {
        let failed = |error: std::io::Error| BrowserError::Start {
            program: program.to_owned(),
            reason: error.to_string(),
        };
        let profile = tempfile::tempdir().map_err(failed)?;
        let mut child = Command::new("sh")
            .args(["-c", HAND_OVER, program.as_str()])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (to, output) = (child.stdin.take(), child.stdout.take());
        let (sender, from) = channel();
        // Reading has no time limit; receiving has.
        thread::spawn(move || {
            let parts = output.map(|output| BufReader::new(output).split(0));
            for part in parts.into_iter().flatten().map_while(Result::ok) {
                let message = serde_json::from_slice(&part).unwrap_or_default();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            to,
            from,
            last: 0,
            events: Vec::new(),
            _profile: profile,
        })
    }

    /// Asks and waits for the answer; events that come before it are kept.
    pub fn ask(
        &mut self,
        method: &str,
        parameters: Value,
        session: Option<&str>,
    ) -> Result<Value, BrowserError> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let sent = self
            .to
            .as_mut()
            .map(|to| write!(to, "{message}\0").and_then(|()| to.flush()));
        if let Some(Err(error)) = sent {
            return Err(silent(method, &error.to_string()));
        }
        let id = self.last;
        let mut answer = self.take(method, |message| message["id"] == id)?;
        match answer.get("error") {
            Some(error) => Err(BrowserError::Refused {
                method: method.to_owned(),
                reason: error["message"].to_string(),
            }),
            None => Ok(answer["result"].take()),
        }
    }

    /// Waits for an event, unless it came already.
    pub fn wait_for(&mut self, event: &str) -> Result<(), BrowserError> {
        if self.events.iter().any(|told| told["method"] == event) {
            return Ok(());
        }
        let told = self.take(event, |message| message["method"] == event)?;
        self.events.push(told);
        Ok(())
    }

    fn take(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value, BrowserError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.from.recv_timeout(left);
            let message = message.map_err(|error| silent(what, &error.to_string()))?;
            if is_it(&message) {
                return Ok(message);
            }
            self.events.push(message);
        }
    }
}

fn silent(method: &str, reason: &str) -> BrowserError {
    BrowserError::Silent {
        method: method.to_owned(),
        reason: reason.to_owned(),
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Asked politely it takes its own processes along, and waits until they are gone.
        let asked = self.ask("Browser.close", json!({}), None);
        self.to = None;
        if asked.is_err() {
            // It is gone, or deaf; either way there is nobody left to tell.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
