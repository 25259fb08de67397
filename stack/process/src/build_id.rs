//! Which build this executable is.

use std::{fs::File, sync::OnceLock};

use object::{
    Endianness, FileKind, Object, ReadCache, ReadRef,
    elf::{ELF_NOTE_GNU, FileHeader32, FileHeader64, NT_GNU_BUILD_ID},
    read::elf::{FileHeader, ProgramHeader},
};

/// The linker's id of this executable in hex (ELF build id or Mach-O UUID), or `unknown` when the
/// file carries none. It is a hash of the content, so two different builds never share it.
pub fn build_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| read().unwrap_or_else(|| "unknown".to_owned()))
}

/// What a part says after its name when asked for its `version`: that, its build, and that it has
/// deliberate faults compiled in, if it has.
pub fn version(version: &str) -> String {
    format!(
        "{version} (build {}{})",
        build_id(),
        stigmer_fault::BUILD_MARK
    )
}

fn read() -> Option<String> {
    let cache = ReadCache::new(File::open(std::env::current_exe().ok()?).ok()?);
    let id = match FileKind::parse(&cache).ok()? {
        FileKind::Elf32 => of_elf::<FileHeader32<Endianness>, _>(&cache)?,
        FileKind::Elf64 => of_elf::<FileHeader64<Endianness>, _>(&cache)?,
        _ => object::File::parse(&cache)
            .ok()?
            .mach_uuid()
            .ok()??
            .to_vec(),
    };
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The id in the notes. Parsing the whole file would read its symbols, which takes longer than anything
/// else that a part does when it starts.
fn of_elf<'data, H, R>(data: R) -> Option<Vec<u8>>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    for segment in header.program_headers(endian, data).ok()? {
        let Some(mut notes) = segment.notes(endian, data).ok()? else {
            continue;
        };
        while let Some(note) = notes.next().ok()? {
            if note.name() == ELF_NOTE_GNU && note.n_type(endian) == NT_GNU_BUILD_ID {
                return Some(note.desc().to_vec());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_notes_alone_say_what_the_whole_file_says() {
        let own = std::env::current_exe().expect("this process has an executable");
        let cache = ReadCache::new(File::open(own).expect("it can be read"));
        let whole = object::File::parse(&cache).expect("it is an executable");
        let id = whole.build_id().expect("its notes are well-formed");
        let hex = id.map(|id| {
            id.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        });
        assert_eq!(read(), hex);
        assert_eq!(build_id(), hex.as_deref().unwrap_or("unknown"));
    }
}
