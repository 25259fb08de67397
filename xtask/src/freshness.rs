//! `--no-build`: the binaries of the last build, refused if any source is newer, or if the checkout
//! is at another commit by now.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, failure, sources, staleness};

use crate::{
    build::{Built, Extent},
    checkout::Checkout,
    revision::{Revision, describe},
};

/// The binaries of the last build, if they are still what the sources say.
pub fn fresh_binaries(checkout: &Checkout, extent: Extent) -> Result<Built> {
    let revision = Revision::ask(&checkout.root);
    let refuse = |cause: String| failure(ExitCode::BuildFailed, cause, "run without --no-build");
    let built =
        Built::last(checkout).ok_or_else(|| refuse("nothing has been built yet".to_owned()))?;
    // Cargo lists the sources of a test only as far as its own crate goes; the driver is made from
    // the same library.
    let root = &checkout.root;
    let of_library = sources(&built.driver, root).unwrap_or_default();
    for binary in built.binaries(extent) {
        let is_suite = *binary == built.suite;
        let more = if is_suite { of_library.as_slice() } else { &[] };
        if let Some(cause) = staleness(binary, root, more) {
            return Err(refuse(cause));
        }
    }
    // Times alone do not tell: an unpacked or a restored file may be older than what it was built to.
    let here = revision.answer();
    if built.revision != here {
        return Err(refuse(format!(
            "the last build was made at {}, the checkout is at {}",
            describe(built.revision.as_deref()),
            describe(here.as_deref())
        )));
    }
    Ok(built)
}
