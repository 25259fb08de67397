//! How fast the stack is, always beside something bare that was measured in the same run. The figures
//! are facts in the test's record; no test fails for a time.

pub mod nightly;
