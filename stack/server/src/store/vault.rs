//! Secret values in the file: sealed, so that the file alone does not tell them.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use stigmer_cipher::{Keys, SealError};

use crate::mask::Secrets;

/// What a sealed value begins with; the id of the key and the sealed bytes in base64 follow.
const SEALED: &str = "stigmer-sealed:";

/// Seals secret values on their way into the file and opens them on their way out.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    keys: Option<Keys>,
    seals: bool,
}

impl Vault {
    /// Opens what any of `keys` sealed, and seals with the first of them if `seals`.
    pub fn new(keys: Option<Keys>, seals: bool) -> Self {
        Self { keys, seals }
    }

    /// Replaces every secret value by a sealed one. What could not be opened stays as it is.
    pub(super) fn seal<R: Secrets>(&self, resource: &mut R) -> Result<(), SealError> {
        let Some(keys) = self.keys.as_ref().filter(|_| self.seals) else {
            return Ok(());
        };
        let values = resource.secret_values();
        for value in values
            .into_iter()
            .filter(|v| !v.is_empty() && !is_sealed(v))
        {
            let sealed = keys.seal(value.as_bytes())?;
            let data = BASE64_STANDARD_NO_PAD.encode(sealed.data);
            *value = format!("{SEALED}{}:{data}", sealed.key_id);
        }
        Ok(())
    }

    /// Replaces every sealed value by what was sealed, where a key for it is here.
    pub(super) fn open<R: Secrets>(&self, resource: &mut R) {
        let Some(keys) = &self.keys else { return };
        for value in resource.secret_values() {
            if let Some(plain) = opened(keys, value) {
                *value = plain;
            }
        }
    }
}

/// Whether a value is one that the vault could not open: its key is gone.
pub fn is_sealed(value: &str) -> bool {
    value.starts_with(SEALED)
}

fn opened(keys: &Keys, value: &str) -> Option<String> {
    let (key_id, data) = value.strip_prefix(SEALED)?.split_once(':')?;
    let data = BASE64_STANDARD_NO_PAD.decode(data).ok()?;
    let plain = keys.open(key_id, &data).ok()?;
    String::from_utf8(plain).ok()
}
