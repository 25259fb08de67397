//! Files that are whole at any moment.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::SynthesisError;

/// Replaces `dir/name` by a file with `content`: a reader sees the old file or the whole new one.
pub(crate) fn write(dir: &Path, name: &str, content: &[u8]) -> Result<(), SynthesisError> {
    let path = dir.join(name);
    let part = dir.join(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&part)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&part, &path));
    written.map_err(|reason| {
        // The first error is the one to report; the part may not even exist.
        let _ = fs::remove_file(&part);
        SynthesisError::Write { path, reason }
    })
}
