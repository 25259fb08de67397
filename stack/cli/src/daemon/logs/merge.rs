//! Lines of several logs in the order of their times.

use stigmer_supervise::log_tail;

use super::Component;
use crate::daemon::Layout;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub component: Component,
    /// When it was written, as far as that can be told: RFC 3339 in UTC, which sorts as text.
    pub time: String,
    pub text: String,
}

impl LogLine {
    /// As it is shown among lines of other components.
    pub fn labelled(&self) -> String {
        format!("[{:<15}] {}", self.component.name(), self.text)
    }
}

/// The last `count` lines of the logs of `components`, interleaved by time; all with 0.
pub fn merged_tail(layout: &Layout, components: &[Component], count: usize) -> Vec<LogLine> {
    let each = match count {
        0 => usize::MAX,
        count => count,
    };
    let mut lines: Vec<LogLine> = Vec::new();
    for component in components {
        let mut clock = Clock::default();
        let texts = log_tail(&component.log(layout), each);
        lines.extend(texts.into_iter().map(|text| LogLine {
            component: *component,
            time: clock.time_of(&text),
            text,
        }));
    }
    // Stable: lines of one log keep their order.
    lines.sort_by(|a, b| a.time.cmp(&b.time));
    lines.split_off(lines.len().saturating_sub(each))
}

/// The times of the lines of one log. A line without a time belongs to the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    last: String,
}

impl Clock {
    pub(super) fn time_of(&mut self, line: &str) -> String {
        if let Some(time) = time_in(line) {
            self.last = time;
        }
        self.last.clone()
    }
}

/// The time that a line begins with, in front or in a field: `2026-11-24T10:44:59.123456Z …`,
/// `time=2026-11-24T10:44:59.123 …`, `{"timestamp":"2026-11-24T10:44:59.123456Z", …`.
fn time_in(line: &str) -> Option<String> {
    const NEAR_THE_BEGINNING: usize = 40;
    let shape = "dddd-dd-ddTdd:dd:dd";
    let fits = |candidate: &[u8]| {
        candidate
            .iter()
            .zip(shape.bytes())
            .all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                wanted => *byte == wanted,
            })
    };
    let bytes = line.as_bytes();
    let mut windows = bytes.windows(shape.len()).take(NEAR_THE_BEGINNING);
    let start = windows.position(fits)?;
    let seconds = &line[start..start + shape.len()];
    let rest = &line[start + shape.len()..];
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let digits: String = fraction
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    Some(format!("{seconds}.{digits:0<9}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8PathBuf;

    use super::*;
    use crate::daemon::Part;

    #[test]
    fn times_are_found_in_every_form_and_compare_as_text() {
        let forms = [
            (
                "2026-11-24T10:44:59.123456Z  INFO x",
                "2026-11-24T10:44:59.123456000",
            ),
            (
                "time=2026-11-24T10:44:59.124 level=WARN",
                "2026-11-24T10:44:59.124000000",
            ),
            (
                "{\"timestamp\":\"2026-11-24T10:44:59Z\"}",
                "2026-11-24T10:44:59.000000000",
            ),
        ];
        for (line, time) in forms {
            assert_eq!(time_in(line).as_deref(), Some(time), "{line}");
        }
        for line in ["thread 'main' panicked at x", "", "ünïcödé ünïcödé 2026-11"] {
            assert_eq!(time_in(line), None, "{line}");
        }
    }

    #[test]
    fn lines_are_interleaved_by_time_and_stay_with_what_they_belong_to() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::below(&Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap());
        layout.prepare().unwrap();
        let (server, runner) = (
            Component::Part(Part::Server),
            Component::Part(Part::AgentRunner),
        );
        fs::write(
            server.log(&layout),
            "2026-01-01T00:00:01Z one\n  its cause\n2026-01-01T00:00:03Z three\n",
        )
        .unwrap();
        fs::write(runner.log(&layout), "2026-01-01T00:00:02Z two\n").unwrap();
        let texts = |count| {
            let lines = merged_tail(&layout, &[server, runner], count);
            lines.iter().map(LogLine::labelled).collect::<Vec<_>>()
        };
        let all = [
            "[stigmer-server ] 2026-01-01T00:00:01Z one",
            "[stigmer-server ]   its cause",
            "[agent-runner   ] 2026-01-01T00:00:02Z two",
            "[stigmer-server ] 2026-01-01T00:00:03Z three",
        ];
        assert_eq!(texts(0), all);
        assert_eq!(texts(2), all[2..]);
    }
}
