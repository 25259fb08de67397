//! Section 6 of the acceptance list: workflows that call agents.
