//! The commit that the checkout is at.

use std::{
    process::{Command, Stdio},
    thread::{self, JoinHandle},
};

use camino::Utf8Path;

/// The commit of a checkout, asked for in the background: Git takes some milliseconds.
pub struct Revision(JoinHandle<Option<String>>);

impl Revision {
    /// Asks for the commit of the checkout `root` as it is now.
    pub fn ask(root: &Utf8Path) -> Self {
        let root = root.to_owned();
        Self(thread::spawn(move || rev_parse(&root)))
    }

    /// Its full hash; nothing when the checkout is no Git repository, has no commit, or Git is
    /// missing.
    pub fn answer(self) -> Option<String> {
        self.0.join().expect("asking Git does not panic")
    }
}

fn rev_parse(root: &Utf8Path) -> Option<String> {
    let asked = Command::new("git")
        .args(["-C", root.as_str(), "rev-parse", "HEAD"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|asked| asked.status.success())?;
    let revision = String::from_utf8(asked.stdout).ok()?;
    Some(revision.trim().to_owned())
}

/// A revision in words.
pub fn describe(revision: Option<&str>) -> String {
    revision.map_or_else(
        || "no known commit".to_owned(),
        |hash| format!("commit {hash}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_repository_has_no_revision() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert_eq!(Revision::ask(folder).answer(), None);
        assert_eq!(describe(None), "no known commit");
    }
}
