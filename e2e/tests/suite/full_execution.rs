//! Section 4 of the acceptance list: the whole path with a real model, and the judge of its
//! answers, which needs none.

mod judge;
mod real_model;
