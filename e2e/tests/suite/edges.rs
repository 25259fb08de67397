//! Section 18 of the acceptance list: what stands between the parts and can be made to fail.

mod calls;
mod recorded;
