//! `--no-build`: the binaries of the last build, refused if any source is newer.

use std::{fs, time::SystemTime};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ExitCode, failure};

use crate::{build::Built, checkout::Checkout};

/// The binaries of the last build, if they are still what the sources say.
pub fn fresh_binaries(checkout: &Checkout) -> Result<Built> {
    let refuse = |cause: String| failure(ExitCode::BuildFailed, cause, "run without --no-build");
    let built =
        Built::last(checkout).ok_or_else(|| refuse("nothing has been built yet".to_owned()))?;
    // Cargo lists the sources of a test only as far as its own crate goes; the driver is made from
    // the same library.
    let root = &checkout.root;
    let of_library = sources(&built.driver, root);
    for binary in built.binaries() {
        let Ok(made) = modified(binary) else {
            return Err(refuse(format!("{binary} is gone")));
        };
        let own = sources(binary, root)
            .ok_or_else(|| refuse(format!("{binary} does not say what it was made from")))?;
        let more = if *binary == built.suite {
            of_library.clone().unwrap_or_default()
        } else {
            Vec::new()
        };
        if let Some(source) =
            newest(own.into_iter().chain(more)).filter(|source| source.changed > made)
        {
            return Err(refuse(format!(
                "{} is older than {}",
                binary.file_name().unwrap_or(""),
                source.path
            )));
        }
    }
    Ok(built)
}

struct Source {
    path: Utf8PathBuf,
    /// A source that is gone counts as changed just now.
    changed: SystemTime,
}

fn newest(sources: impl Iterator<Item = Utf8PathBuf>) -> Option<Source> {
    sources
        .map(|path| Source {
            changed: modified(&path).unwrap_or_else(|_| SystemTime::now()),
            path,
        })
        .max_by_key(|source| source.changed)
}

fn modified(path: &Utf8Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// What a binary was made from, as the compiler noted beside it, relative to the checkout or not.
fn sources(binary: &Utf8Path, root: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let text = fs::read_to_string(binary.with_extension("d")).ok()?;
    Some(
        dependencies(&text)
            .into_iter()
            .map(|path| root.join(path))
            .collect(),
    )
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
}
