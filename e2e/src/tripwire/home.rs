//! A HOME for whoever has none of its own: `.stigmer` in it is a file, so that nothing can be read from
//! it or put there, and every attempt fails and names the path.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

const TEXT: &str = "A test, or what it started, used the HOME of the run instead of its own.\n";

/// Folders that are found by HOME otherwise, as a variable and a path below it.
const BESIDES: [(&str, &str); 4] = [
    ("CARGO_HOME", ".cargo"),
    ("DOCKER_CONFIG", ".docker"),
    ("RUSTUP_HOME", ".rustup"),
    ("XDG_CACHE_HOME", ".cache"),
];

/// Makes such a HOME in the results of a run, and returns it.
///
/// # Errors
///
/// When the results cannot be written.
pub fn guarded_home(results: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let home = home_in(results);
    fs::create_dir_all(&home)?;
    fs::write(home.join(".stigmer"), TEXT)?;
    Ok(home)
}

/// What a process gets that has this HOME: everything else is where the user has it.
pub fn variables(home: &Utf8Path) -> Vec<(String, String)> {
    let users = std::env::home_dir()
        .and_then(|home| Utf8PathBuf::from_path_buf(home).ok())
        .unwrap_or_default();
    let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let besides = BESIDES.iter().filter(|(name, _)| unset(name));
    let besides = besides.map(|(name, path)| ((*name).to_owned(), users.join(path).into_string()));
    besides
        .chain([("HOME".to_owned(), home.to_string())])
        .collect()
}

/// Whether nobody changed `.stigmer` in the HOME of the run with `results`, if one was made.
pub fn is_untouched(results: &Utf8Path) -> bool {
    let home = home_in(results);
    !home.exists() || fs::read_to_string(home.join(".stigmer")).is_ok_and(|text| text == TEXT)
}

/// If somebody changed `.stigmer` in the HOME of the run with `results`: moves what is there aside, so
/// that nobody else is blamed for it, and returns where to.
///
/// # Errors
///
/// When the results cannot be written.
pub fn guard_again(results: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    if is_untouched(results) {
        return Ok(None);
    }
    let home = home_in(results);
    let mut free = (1..).map(|number| home.join(format!("stigmer-{number}")));
    let aside = free.find(|path| !path.exists()).unwrap_or_default();
    match fs::rename(home.join(".stigmer"), &aside) {
        // It was removed, and nothing put in its place.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        moved => moved?,
    }
    fs::write(home.join(".stigmer"), TEXT)?;
    Ok(Some(aside))
}

fn home_in(results: &Utf8Path) -> Utf8PathBuf {
    results.join("tripwire-home")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_kept_in_a_guarded_home() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap();
        let home = guarded_home(results).unwrap();
        fs::create_dir_all(home.join(".stigmer/data")).unwrap_err();
        fs::read(home.join(".stigmer/config.yaml")).unwrap_err();
        assert!(is_untouched(results));
        fs::remove_file(home.join(".stigmer")).unwrap();
        fs::create_dir(home.join(".stigmer")).unwrap();
        assert!(!is_untouched(results));
        let aside = guard_again(results).unwrap().unwrap();
        assert!(aside.is_dir() && is_untouched(results));
        assert_eq!(guard_again(results).unwrap(), None);
    }
}
