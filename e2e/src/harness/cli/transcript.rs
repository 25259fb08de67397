//! What a command wrote, in the order it arrived: standard output and error come through pipes of
//! their own and are merged by arrival.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Since the command was started.
    pub at: Duration,
    /// Where it was written to.
    pub stream: Stream,
    /// Without its line end.
    pub text: String,
}

/// Collects chunks into whole streams and timed lines.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    open: [Vec<u8>; 2],
    lines: Vec<Line>,
}

impl Transcript {
    pub(super) fn push(&mut self, at: Duration, stream: Stream, chunk: &[u8]) {
        match stream {
            Stream::Stdout => self.stdout.extend_from_slice(chunk),
            Stream::Stderr => self.stderr.extend_from_slice(chunk),
        }
        let open = &mut self.open[stream as usize];
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            open.extend_from_slice(part);
            if part.ends_with(b"\n") {
                open.pop();
                let text = String::from_utf8_lossy(open).into_owned();
                open.clear();
                self.lines.push(Line { at, stream, text });
            }
        }
    }

    /// A stream ended: what is left of it is a line, too.
    pub(super) fn close(&mut self, at: Duration, stream: Stream) {
        let open = std::mem::take(&mut self.open[stream as usize]);
        if !open.is_empty() {
            self.lines.push(Line {
                at,
                stream,
                text: String::from_utf8_lossy(&open).into_owned(),
            });
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn into_parts(self) -> (String, String, Vec<Line>) {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(self.stdout), text(self.stderr), self.lines)
    }
}

/// `lines` for people: time, stream, text.
pub(super) fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let mark = match line.stream {
            Stream::Stdout => "out",
            Stream::Stderr => "err",
        };
        // Writing to a `String` does not fail.
        let _ = writeln!(
            text,
            "{:>9.3} {mark} | {}",
            line.at.as_secs_f64(),
            line.text
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_keep_the_order_in_which_they_were_finished() {
        let mut transcript = Transcript::default();
        let at = Duration::from_millis;
        transcript.push(at(1), Stream::Stdout, b"one\ntw");
        transcript.push(at(2), Stream::Stderr, b"oops\n");
        transcript.push(at(3), Stream::Stdout, b"o\nrest");
        transcript.close(at(4), Stream::Stdout);
        transcript.close(at(4), Stream::Stderr);
        let (stdout, stderr, lines) = transcript.into_parts();
        assert_eq!(
            (stdout.as_str(), stderr.as_str()),
            ("one\ntwo\nrest", "oops\n")
        );
        let texts = lines
            .iter()
            .map(|line| line.text.as_str())
            .collect::<Vec<_>>();
        assert_eq!(texts, ["one", "oops", "two", "rest"]);
        assert!(render(&lines).starts_with("    0.001 out | one\n"));
    }
}
