//! The logs of the shared services, as far as they are about one test.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::session::Session;

/// The component that the shared Temporal is.
pub(super) const TEMPORAL: &str = crate::services::Temporal::NAME;

/// Where each log ended when the test began.
#[derive(Clone, Debug)]
pub(super) struct SharedLogs(Vec<Mark>);

#[derive(Clone, Debug)]
struct Mark {
    service: String,
    log: Utf8PathBuf,
    from: u64,
}

impl SharedLogs {
    /// Begins now.
    pub(super) fn mark(session: &Session) -> Self {
        let mark = |service: &crate::supervise::ServiceStarted| Mark {
            service: service.name.clone(),
            log: service.log.clone(),
            // A log that nobody wrote yet ends where it begins.
            from: fs::metadata(&service.log).map_or(0, |log| log.len()),
        };
        Self(session.services.iter().map(mark).collect())
    }

    /// The lines that `service` wrote since that have one of `words` in them; without words all.
    pub(super) fn slice(&self, service: &str, words: &[String]) -> Vec<String> {
        let about = |line: &&str| words.is_empty() || words.iter().any(|word| line.contains(word));
        let marks = self.0.iter().filter(|mark| mark.service == service);
        marks
            .flat_map(|mark| {
                let text = since(&mark.log, mark.from).unwrap_or_default();
                text.lines()
                    .filter(about)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn since(log: &Utf8Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_has_what_came_later_and_names_the_test() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("temporal.log");
        fs::write(&log, "before wf-namespace=mine\n").unwrap();
        let logs = SharedLogs(vec![Mark {
            service: TEMPORAL.to_owned(),
            from: fs::metadata(&log).unwrap().len(),
            log: log.clone(),
        }]);
        assert_eq!(logs.slice(TEMPORAL, &[]), [""; 0]);
        fs::write(
            &log,
            "before wf-namespace=mine\na wf-namespace=mine\nb wf-namespace=other\n",
        )
        .unwrap();
        assert_eq!(
            logs.slice(TEMPORAL, &["mine".to_owned()]),
            ["a wf-namespace=mine"]
        );
        assert_eq!(logs.slice(TEMPORAL, &[]).len(), 2);
        assert_eq!(logs.slice("llm", &[]), [""; 0]);
    }
}
