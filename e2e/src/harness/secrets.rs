//! Values that must be written nowhere: tests hand them to the stack as secrets, and teardown looks for
//! them in every file. What the harness itself writes has their names in their place.

use std::{
    fs, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use camino::Utf8Path;
use serde_json::Value;

/// The secrets of one test; clones are handles of the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets(Arc<Mutex<Vec<Secret>>>);

#[derive(Clone, Debug)]
struct Secret {
    name: String,
    value: String,
}

impl Secrets {
    /// Keeps `value`, which nobody may write down, under `name`.
    pub(super) fn add(&self, name: &str, value: &str) {
        self.all().push(Secret {
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    /// `text` with the name of each secret in place of its value.
    pub(super) fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.all().iter() {
            if text.contains(&secret.value) {
                text = text.replace(&secret.value, &format!("‹{}›", secret.name));
            }
        }
        text
    }

    /// `value` with the name of each secret in place of its value in every text.
    pub(super) fn mask_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask(&text)),
            Value::Array(items) => items.into_iter().map(|it| self.mask_json(it)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, it)| (name, self.mask_json(it)))
                .collect(),
            other => other,
        }
    }

    /// The name of a secret whose value is in `text`.
    pub(super) fn first_in(&self, text: &str) -> Option<String> {
        let secrets = self.all();
        let found = secrets.iter().find(|secret| text.contains(&secret.value));
        found.map(|secret| secret.name.clone())
    }

    /// Which secrets are in which file below `folder`, plain or inside of something that is written
    /// in Base64, one line each.
    pub(super) fn leaks(&self, folder: &Utf8Path) -> Vec<String> {
        let secrets = self.all().clone();
        let needles = secrets
            .iter()
            .map(|secret| (secret.name.as_str(), forms(&secret.value)));
        let needles = needles.collect::<Vec<_>>();
        let mut found = Vec::new();
        if !needles.is_empty()
            && let Err(error) = search(folder, &needles, &mut found)
        {
            found.push(format!("failed to look for secrets in {folder}: {error}"));
        }
        found
    }

    fn all(&self) -> MutexGuard<'_, Vec<Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A secret's name, and the texts that give it away.
type Needle<'a> = (&'a str, Vec<String>);

fn search(folder: &Utf8Path, needles: &[Needle<'_>], found: &mut Vec<String>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            search(entry.path(), needles, found)?;
        } else if kind.is_file() {
            let content = fs::read(entry.path())?;
            let leaked = needles
                .iter()
                .filter(|(_, forms)| forms.iter().any(|form| contains(&content, form)));
            found.extend(
                leaked
                    .map(|(name, _)| format!("the value of secret {name} is in {}", entry.path())),
            );
        }
    }
    Ok(())
}

fn contains(content: &[u8], text: &str) -> bool {
    content
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// `value`, and what every Base64 text that holds it somewhere has in common: it may begin at any of
/// three places in a group, and its first and last characters depend on its neighbours.
fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned()];
    for before in 0..3 {
        let bytes = [&b"..."[..before], value.as_bytes()].concat();
        let text = STANDARD_NO_PAD.encode(&bytes);
        let own = text[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned();
        forms.push(own.replace('+', "-").replace('/', "_"));
        forms.push(own);
    }
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE;

    use super::*;

    const VALUE: &str = "marker-token-0123456789abcdef";

    fn secrets() -> Secrets {
        let secrets = Secrets::default();
        secrets.add("TOKEN", VALUE);
        secrets
    }

    #[test]
    fn a_value_is_replaced_by_its_name() {
        assert_eq!(
            secrets().mask(&format!("Bearer {VALUE}, twice {VALUE}")),
            "Bearer ‹TOKEN›, twice ‹TOKEN›"
        );
    }

    #[test]
    fn a_value_is_found_in_any_file_whatever_stands_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir(root.join("deep")).unwrap();
        fs::write(root.join("harmless"), "marker-token-0123").unwrap();
        assert!(secrets().leaks(root).is_empty());
        fs::write(root.join("deep/log"), format!("key={VALUE}\n")).unwrap();
        for before in ["", "a", "ab", "{\"a\":\""] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{VALUE}\"}}"));
            fs::write(root.join(format!("base64-{}", before.len())), text).unwrap();
        }
        fs::write(root.join("url-safe"), URL_SAFE.encode(VALUE)).unwrap();
        let leaks = secrets().leaks(root);
        assert_eq!(leaks.len(), 6, "{leaks:#?}");
        assert!(leaks[0].starts_with("the value of secret TOKEN is in "));
    }
}
