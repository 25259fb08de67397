//! The crates of a `Cargo.lock`, as far as a bill of materials needs them. The file is written by cargo
//! alone, one field per line.

/// A crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file; a crate of this workspace has none.
    pub sha256: Option<String>,
    /// The crates that it needs, without needs of their own.
    pub dependencies: Vec<Crate>,
}

impl Crate {
    /// Its package URL.
    pub fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// All crates of a lock file.
pub fn crates(lock: &str) -> Vec<Crate> {
    let sections = lock.split("[[package]]").skip(1);
    let mut crates: Vec<(Crate, Vec<String>)> = sections.map(section).collect();
    let known: Vec<Crate> = crates.iter().map(|(it, _)| it.clone()).collect();
    for (it, needed) in &mut crates {
        it.dependencies = needed
            .iter()
            .filter_map(|need| find(&known, need))
            .collect();
    }
    crates.into_iter().map(|(it, _)| it).collect()
}

/// A crate, and what it needs as cargo writes it: `name`, or `name version` where that is not enough.
fn section(text: &str) -> (Crate, Vec<String>) {
    let field = |name: &str| {
        let start = format!("{name} = \"");
        let line = text.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let needs = text.lines().filter_map(|line| line.strip_prefix(" \""));
    let needs = needs.map(|line| line.trim_end_matches(['"', ',']).to_owned());
    let it = Crate {
        name: field("name").unwrap_or_default(),
        version: field("version").unwrap_or_default(),
        sha256: field("checksum"),
        dependencies: Vec::new(),
    };
    (it, needs.collect())
}

fn find(known: &[Crate], need: &str) -> Option<Crate> {
    let mut words = need.split(' ');
    let (name, version) = (words.next()?, words.next());
    let is_meant = |it: &&Crate| it.name == name && version.is_none_or(|it_is| it.version == it_is);
    known.iter().find(is_meant).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n\
        [[package]]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = [\n \"one\",\n \"two 2.0.0\",\n]\n\n\
        [[package]]\nname = \"one\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"aa\"\n\n\
        [[package]]\nname = \"two\"\nversion = \"1.0.0\"\n\n\
        [[package]]\nname = \"two\"\nversion = \"2.0.0\"\n";

    #[test]
    fn crates_have_their_hash_and_what_they_need_in_the_right_version() {
        let crates = crates(LOCK);
        let purls: Vec<_> = crates.iter().map(Crate::purl).collect();
        let two = ["pkg:cargo/two@1.0.0", "pkg:cargo/two@2.0.0"];
        assert_eq!(purls[..2], ["pkg:cargo/own@0.1.0", "pkg:cargo/one@1.0.0"]);
        assert_eq!(purls[2..], two);
        assert_eq!(crates[1].sha256.as_deref(), Some("aa"));
        let needed: Vec<_> = crates[0].dependencies.iter().map(Crate::purl).collect();
        assert_eq!(needed, ["pkg:cargo/one@1.0.0", two[1]]);
    }

    #[test]
    fn our_own_lock_file_is_understood_whole() {
        let lock = include_str!("../../../../Cargo.lock");
        let crates = crates(lock);
        let entries = lock.matches("[[package]]").count();
        assert_eq!(crates.len(), entries);
        assert!(
            crates
                .iter()
                .all(|it| !it.name.is_empty() && !it.version.is_empty())
        );
        let needs = lock.lines().filter(|line| line.starts_with(" \"")).count();
        let found: usize = crates.iter().map(|it| it.dependencies.len()).sum();
        assert_eq!(found, needs, "a need was not found");
    }
}
