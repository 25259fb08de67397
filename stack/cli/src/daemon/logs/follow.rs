//! Following logs while they grow, are put aside, and begin anew.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
};

use camino::Utf8PathBuf;

use super::{Component, LogLine, merge::Clock};
use crate::daemon::Layout;

/// How much is read at a time, so that a log of any size is shown in pieces.
const PIECE: u64 = 1024 * 1024;

/// What was added to the logs of some components since the last look.
#[derive(Debug)]
pub struct Follower {
    tails: Vec<Tail>,
}

#[derive(Debug)]
struct Tail {
    component: Component,
    path: Utf8PathBuf,
    file: Option<Open>,
    /// The beginning of a line whose end was not written yet.
    partial: Vec<u8>,
    clock: Clock,
}

#[derive(Debug)]
struct Open {
    file: File,
    inode: u64,
    position: u64,
}

impl Follower {
    /// Follows from the present ends of the logs on.
    pub fn at_the_end(layout: &Layout, components: &[Component]) -> Self {
        let tail = |component: &Component| {
            let path = component.log(layout);
            let file = open(&path).map(|mut open| {
                open.position = open.file.metadata().map_or(0, |file| file.len());
                open
            });
            Tail {
                component: *component,
                path,
                file,
                partial: Vec::new(),
                clock: Clock::default(),
            }
        };
        Self {
            tails: components.iter().map(tail).collect(),
        }
    }

    /// The lines that came since the last look, interleaved by time.
    pub fn look(&mut self) -> Vec<LogLine> {
        let mut lines: Vec<LogLine> = self.tails.iter_mut().flat_map(Tail::look).collect();
        lines.sort_by(|a, b| a.time.cmp(&b.time));
        lines
    }
}

impl Tail {
    fn look(&mut self) -> Vec<LogLine> {
        let mut bytes = Vec::new();
        if let Some(open) = &mut self.file {
            read_on(open, &mut bytes);
        }
        let replaced = fs::metadata(&self.path).map(|file| file.ino()).ok()
            != self.file.as_ref().map(|open| open.inode);
        if replaced && bytes.is_empty() {
            // What it had is shown to its end before the next file begins.
            self.file = open(&self.path);
            if let Some(open) = &mut self.file {
                read_on(open, &mut bytes);
            }
        }
        self.partial.extend(bytes);
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        let text = String::from_utf8_lossy(&whole).into_owned();
        text.lines()
            .map(|text| LogLine {
                component: self.component,
                time: self.clock.time_of(text),
                text: text.to_owned(),
            })
            .collect()
    }
}

fn open(path: &Utf8PathBuf) -> Option<Open> {
    let file = File::open(path).ok()?;
    let inode = file.metadata().ok()?.ino();
    Some(Open {
        file,
        inode,
        position: 0,
    })
}

fn read_on(open: &mut Open, bytes: &mut Vec<u8>) {
    let length = open.file.metadata().map_or(0, |file| file.len());
    if length < open.position {
        // It was cut off and begins anew.
        open.position = 0;
    }
    let read = open
        .file
        .seek(SeekFrom::Start(open.position))
        .and_then(|_| (&open.file).take(PIECE).read_to_end(bytes));
    // A file that cannot be read now is tried again at the next look.
    open.position += read.unwrap_or(0) as u64;
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::daemon::Part;

    struct World {
        _keep: tempfile::TempDir,
        log: Utf8PathBuf,
        follower: Follower,
    }

    impl World {
        fn with(text: &str) -> Self {
            let keep = tempfile::tempdir().unwrap();
            let layout =
                Layout::below(&Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap());
            layout.prepare().unwrap();
            let component = Component::Part(Part::Server);
            let log = component.log(&layout);
            fs::write(&log, text).unwrap();
            Self {
                follower: Follower::at_the_end(&layout, &[component]),
                log,
                _keep: keep,
            }
        }

        fn append(&self, text: &str) {
            let mut file = File::options()
                .create(true)
                .append(true)
                .open(&self.log)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn texts(&mut self) -> Vec<String> {
            self.follower
                .look()
                .into_iter()
                .map(|line| line.text)
                .collect()
        }
    }

    #[test]
    fn only_whole_new_lines_are_shown_once() {
        let mut world = World::with("old\n");
        assert_eq!(world.texts(), Vec::<String>::new());
        world.append("one\ntw");
        assert_eq!(world.texts(), ["one"]);
        world.append("o\n");
        assert_eq!(world.texts(), ["two"]);
        assert_eq!(world.texts(), Vec::<String>::new());
    }

    #[test]
    fn a_log_that_is_put_aside_is_shown_to_its_end_and_then_the_new_one() {
        let mut world = World::with("");
        world.append("last words\n");
        fs::rename(&world.log, format!("{}.aside", world.log)).unwrap();
        world.append("first words\n");
        assert_eq!(world.texts(), ["last words"]);
        assert_eq!(world.texts(), ["first words"]);
    }

    #[test]
    fn a_log_that_is_cut_off_and_one_that_comes_later_are_followed() {
        let mut world = World::with("a long line that goes away\n");
        fs::write(&world.log, "").unwrap();
        assert_eq!(world.texts(), Vec::<String>::new());
        world.append("new\n");
        assert_eq!(world.texts(), ["new"]);
        fs::remove_file(&world.log).unwrap();
        world.texts();
        world.append("again\n");
        assert_eq!(world.texts(), ["again"]);
    }
}
