//! Whether a binary is still what its sources say, by what the compiler noted beside it.

use std::{fs, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

/// Why `binary` is not what its sources, and those in `more`, say by now; nothing when it is. The
/// sources are those that Cargo noted beside it, relative to the checkout `root` or not.
pub fn staleness(binary: &Utf8Path, root: &Utf8Path, more: &[Utf8PathBuf]) -> Option<String> {
    let Ok(made) = modified(binary) else {
        return Some(format!("{binary} is gone"));
    };
    let Some(own) = sources(binary, root) else {
        return Some(format!("{binary} does not say what it was made from"));
    };
    let newest = own
        .iter()
        .chain(more)
        // A source that is gone counts as changed just now.
        .map(|path| (modified(path).unwrap_or_else(|_| SystemTime::now()), path))
        .max()?;
    let name = binary.file_name().unwrap_or(binary.as_str());
    (newest.0 > made).then(|| format!("{name} is older than {}", newest.1))
}

/// What `binary` was made from; nothing when no compiler noted it.
pub fn sources(binary: &Utf8Path, root: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let text = fs::read_to_string(binary.with_extension("d")).ok()?;
    let paths = dependencies(&text).into_iter();
    Some(paths.map(|path| root.join(path)).collect())
}

fn modified(path: &Utf8Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// The prerequisites of the first rule in a makefile fragment.
fn dependencies(makefile: &str) -> Vec<Utf8PathBuf> {
    let rule = makefile
        .lines()
        .find_map(|line| line.split_once(": "))
        .map_or("", |(_, rule)| rule);
    let (mut paths, mut path) = (Vec::new(), String::new());
    let mut characters = rule.chars();
    while let Some(character) = characters.next() {
        match character {
            // A blank in a name is escaped.
            '\\' => path.extend(characters.next()),
            ' ' => paths.extend(finished(&mut path)),
            _ => path.push(character),
        }
    }
    paths.extend(finished(&mut path));
    paths
}

fn finished(path: &mut String) -> Option<Utf8PathBuf> {
    let path = std::mem::take(path);
    (!path.is_empty()).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_are_read_whole() {
        let paths = dependencies(
            "/t/debug/stigmer: /a/src/main.rs /a/with\\ blank.rs\n\n/a/src/main.rs:\n",
        );
        assert_eq!(paths, ["/a/src/main.rs", "/a/with blank.rs"]);
        assert!(dependencies("").is_empty());
    }

    #[test]
    fn a_binary_is_stale_once_a_source_is_newer_or_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let binary = root.join("program");
        let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("writable");
        write("main.rs", "");
        assert!(staleness(&binary, root, &[]).is_some_and(|why| why.ends_with("is gone")));
        write("program", "");
        let why = staleness(&binary, root, &[]).expect("stale");
        assert!(why.ends_with("does not say what it was made from"), "{why}");
        write("program.d", "program: main.rs\n");
        assert_eq!(staleness(&binary, root, &[]), None);
        let gone = [root.join("gone.rs")];
        let why = staleness(&binary, root, &gone).expect("stale");
        assert_eq!(why, format!("program is older than {}", gone[0]));
    }
}
