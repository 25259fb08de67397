//! `logs`: the logs of what `up` started.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    time::Duration,
};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use stigmer_e2e::{session::Session, supervise::log_tail};
use stigmer_e2e_plan::{ExitCode, Output, failure};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use super::attached::require_attached;

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the last `lines` lines of the log of `service`, or of every service, and with `follow` what
/// is added.
pub async fn logs(
    root: &Utf8Path,
    service: Option<&str>,
    lines: usize,
    follow: bool,
    output: Output,
) -> Result<ExitCode> {
    let session = require_attached(root)?;
    let mut chosen = choose(&session, service)?;
    for log in &mut chosen {
        // The end is taken before the tail: a line in between is shown twice rather than not at all.
        log.read = std::fs::metadata(&log.path).map_or(0, |file| file.len());
        for line in log_tail(&log.path, lines) {
            log.show(output, &line);
        }
    }
    if follow {
        show_news(&session, &mut chosen, output).await?;
    }
    Ok(ExitCode::Success)
}

/// Shows what is added until Ctrl-C, or until the stack goes down.
async fn show_news(session: &Session, logs: &mut [Log], output: Output) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let is_up = session.owner.is_none_or(|owner| owner.is_alive());
        for log in logs.iter_mut() {
            for line in log.news() {
                log.show(output, &line);
            }
        }
        if !is_up {
            return Ok(());
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

/// One log that is shown.
#[derive(Debug)]
struct Log {
    service: String,
    path: Utf8PathBuf,
    read: u64,
    prefix: bool,
}

fn choose(session: &Session, service: Option<&str>) -> Result<Vec<Log>> {
    let is_chosen = |name: &str| service.is_none_or(|service| service == name);
    let chosen: Vec<_> = session
        .services
        .iter()
        .filter(|known| is_chosen(&known.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = session
            .services
            .iter()
            .map(|known| known.name.as_str())
            .collect();
        let cause = format!("there is no service {:?}", service.unwrap_or_default());
        return Err(failure(
            ExitCode::Usage,
            cause,
            format!("name one of {}", names.join(", ")),
        ));
    }
    let log = |known: &&stigmer_e2e::supervise::ServiceStarted| Log {
        service: known.name.clone(),
        path: known.log.clone(),
        read: 0,
        prefix: service.is_none(),
    };
    Ok(chosen.iter().map(log).collect())
}

impl Log {
    fn show(&self, output: Output, line: &str) {
        output.object(&json!({"event": "log", "service": self.service, "line": line}));
        output.line(&if self.prefix {
            format!("{:<22} | {line}", self.service)
        } else {
            line.to_owned()
        });
    }

    /// The whole lines that were added since the last look.
    fn news(&mut self) -> Vec<String> {
        let mut text = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut text)
        });
        let Some(end) = read
            .ok()
            .and_then(|_| text.iter().rposition(|byte| *byte == b'\n'))
        else {
            return Vec::new();
        };
        self.read += end as u64 + 1;
        String::from_utf8_lossy(&text[..=end])
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_whole_lines_each_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a.log")).unwrap();
        let mut log = Log {
            service: "a".into(),
            path: path.clone(),
            read: 0,
            prefix: false,
        };
        assert_eq!(log.news(), Vec::<String>::new(), "no file yet");
        std::fs::write(&path, "one\ntw").unwrap();
        assert_eq!(log.news(), ["one"]);
        assert_eq!(log.news(), Vec::<String>::new());
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        assert_eq!(log.news(), ["two", "three"]);
    }
}
