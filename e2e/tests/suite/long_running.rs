//! A stack that lives long (EXT-05): a wait that outlives the server, an hour without work, a thousand runs.

mod growth;
mod nightly;
mod weekly;
mod work;
