//! The report as its readers have it: its data, and the page in a browser.

mod browser;
mod page;
mod results;
