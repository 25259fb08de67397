//! `Stigmer.yaml`: whatever is in it, there is a project, or an error that names the file.

#![no_main]

use camino::Utf8Path;
use libfuzzer_sys::fuzz_target;
use stigmer_cli::Project;

fuzz_target!(|text: &str| {
    let file = Utf8Path::new("/project/Stigmer.yaml");
    if let Err(error) = Project::parse(text, file) {
        let error = error.to_string();
        assert!(error.contains(file.as_str()), "{error}");
    }
});
