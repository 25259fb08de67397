//! Facts about one thing, a line each.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::stream::visible;

/// Labelled values under one another. Empty values are left out; the lines of a long value stand
/// below its label.
#[derive(Debug, Default)]
pub struct Details(Vec<(&'static str, String)>);

impl Details {
    /// Adds a value.
    pub fn add(&mut self, label: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((label, visible(&value)));
        }
        self
    }

    /// Adds several values as one, in one line.
    pub fn add_all(
        &mut self,
        label: &'static str,
        values: impl IntoIterator<Item = String>,
    ) -> &mut Self {
        self.add(label, values.into_iter().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.0.iter().map(|(label, _)| label.width()).max();
        let width = widest.unwrap_or(0) + 1;
        for (label, value) in &self.0 {
            let label = format!("{label}:");
            match value.contains('\n') {
                false => writeln!(f, "{label:width$} {value}")?,
                true => {
                    writeln!(f, "{label}")?;
                    for line in value.trim_end().lines() {
                        writeln!(f, "{}", format!("  {line}").trim_end())?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column_and_long_ones_below_their_label() {
        let mut details = Details::default();
        details
            .add("Name", "a")
            .add("Description", "")
            .add_all("Tools", ["x".to_owned(), "y".to_owned()])
            .add("Instructions", "Read.\n\nAnswer.\n");
        assert_eq!(
            details.to_string(),
            "Name:         a\nTools:        x, y\nInstructions:\n  Read.\n\n  Answer.\n"
        );
    }
}
