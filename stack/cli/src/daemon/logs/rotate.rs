//! Putting logs aside, so that each start begins with empty ones.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::Component;
use crate::daemon::Layout;

/// How long a log that was put aside is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Renames every log that holds something to `<file>.YYYY-MM-DD-HHMMSS`, and deletes what was put
/// aside more than seven days ago. Nothing may be writing to them.
pub fn rotate(layout: &Layout) -> Result<()> {
    let stamp = stamp(&stigmer_api::time::rfc3339_now());
    for component in Component::ALL {
        let log = component.log(layout);
        if fs::metadata(&log).is_ok_and(|file| file.len() > 0) {
            let aside = format!("{log}.{stamp}");
            fs::rename(&log, &aside)
                .with_context(|| format!("failed to rename {log} to {aside}"))?;
        }
        delete_old(&log);
    }
    Ok(())
}

fn delete_old(log: &Utf8Path) {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else {
        return;
    };
    let prefix = format!("{name}.");
    for file in folder.read_dir_utf8().into_iter().flatten().flatten() {
        let aside = file.file_name().strip_prefix(&prefix).is_some_and(is_stamp);
        let modified = file.metadata().and_then(|file| file.modified());
        let age = modified.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        if aside && age.is_ok_and(|age| age > KEPT) {
            // It is tried again at the next start.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// `2026-11-24T10:44:59.123456Z` as `2026-11-24-104459`.
fn stamp(rfc3339: &str) -> String {
    let (date, time) = rfc3339.split_once('T').unwrap_or((rfc3339, ""));
    let digits = time.chars().filter(char::is_ascii_digit).take(6);
    format!("{date}-{}", digits.collect::<String>())
}

fn is_stamp(text: &str) -> bool {
    text.len() == "2026-11-24-104459".len()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::daemon::Part;

    #[test]
    fn a_stamp_is_date_and_time() {
        let stamp = stamp("2026-11-24T10:44:59.123456Z");
        assert_eq!(stamp, "2026-11-24-104459");
        assert!(is_stamp(&stamp) && !is_stamp("gz") && !is_stamp("2026-11-24-1044.9"));
    }

    #[test]
    fn full_logs_are_put_aside_empty_ones_stay_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let layout = Layout::below(&home);
        layout.prepare().unwrap();
        let (server, runner) = (layout.log(Part::Server), layout.log(Part::AgentRunner));
        fs::write(&server, "a line\n").unwrap();
        fs::write(&runner, "").unwrap();
        let old = Utf8PathBuf::from(format!("{server}.2020-01-01-000000"));
        let strange = Utf8PathBuf::from(format!("{server}.mine"));
        for file in [&old, &strange] {
            fs::write(file, "x").unwrap();
            let then = SystemTime::now() - KEPT - Duration::from_secs(60);
            fs::File::options()
                .write(true)
                .open(file)
                .unwrap()
                .set_modified(then)
                .unwrap();
        }
        rotate(&layout).unwrap();
        assert!(!server.exists() && runner.exists() && !old.exists() && strange.exists());
        let aside: Vec<_> = layout.logs().read_dir_utf8().unwrap().flatten().collect();
        let aside = aside.iter().filter(|file| {
            let name = file.file_name().strip_prefix("stigmer-server.log.");
            name.is_some_and(is_stamp)
        });
        let texts: Vec<_> = aside
            .map(|file| fs::read_to_string(file.path()).unwrap())
            .collect();
        assert_eq!(texts, ["a line\n"]);
    }
}
