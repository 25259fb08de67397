//! Which build this executable is.

use std::{fs::File, sync::OnceLock};

use object::{Object, ReadCache};

/// The linker's id of this executable in hex (ELF build id or Mach-O UUID), or `unknown` when the
/// file carries none. It is a hash of the content, so two different builds never share it.
pub fn build_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| read().unwrap_or_else(|| "unknown".to_owned()))
}

fn read() -> Option<String> {
    let cache = ReadCache::new(File::open(std::env::current_exe().ok()?).ok()?);
    let file = object::File::parse(&cache).ok()?;
    let id = match file.build_id().ok()? {
        Some(id) => id.to_vec(),
        None => file.mach_uuid().ok()??.to_vec(),
    };
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}
