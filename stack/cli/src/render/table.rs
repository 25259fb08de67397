//! Tables.

use std::fmt::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const GAP: usize = 3;
/// A terminal counts as at least so wide.
const MIN_WIDTH: usize = 80;
/// The last column gives way first, but not below the length of an id; then the widest others do.
const MIN_LAST_COLUMN: usize = 30;
const MIN_COLUMN: usize = 10;
const CUT: &str = "...";

/// The width of the terminal on standard output, or `None` when that is something else, which can
/// take any width.
pub fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col).max(MIN_WIDTH))
}

/// Columns with a heading, padded to their widest cell, and cut to a width if there is one.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    width: Option<usize>,
}

impl Table {
    /// A table with nothing but its heading.
    pub fn new<const N: usize>(heading: [&str; N], width: Option<usize>) -> Self {
        Self {
            rows: vec![heading.map(str::to_owned).to_vec()],
            width,
        }
    }

    /// Adds a row; it has as many cells as the heading.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(
            cells
                .map(|cell| cell.replace(|c: char| c.is_control(), " "))
                .to_vec(),
        );
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let mut widths = (0..columns)
            .map(|i| {
                self.rows
                    .iter()
                    .map(|row| row[i].width())
                    .max()
                    .unwrap_or(0)
            })
            .collect::<Vec<_>>();
        let Some(limit) = self.width else {
            return widths;
        };
        let excess = |widths: &[usize]| {
            (widths.iter().sum::<usize>() + GAP * columns.saturating_sub(1)).saturating_sub(limit)
        };
        let last = columns.saturating_sub(1);
        if let Some(width) = widths.get(last) {
            widths[last] -= width.saturating_sub(MIN_LAST_COLUMN).min(excess(&widths));
        }
        while excess(&widths) > 0 {
            match widths[..last]
                .iter_mut()
                .filter(|width| **width > MIN_COLUMN)
                .max()
            {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = cut(cell, *width);
                let padding = width.saturating_sub(cell.width()) + GAP;
                write!(line, "{cell}{:padding$}", "")?;
            }
            writeln!(f, "{}", line.trim_end())?;
            if index == 0 {
                let rules = widths
                    .iter()
                    .map(|width| "─".repeat(*width))
                    .collect::<Vec<_>>();
                writeln!(f, "{}", rules.join(&" ".repeat(GAP)))?;
            }
        }
        Ok(())
    }
}

fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut room = width.saturating_sub(CUT.len());
    let kept = cell
        .chars()
        .take_while(|c| {
            let fits = c.width().unwrap_or(0) <= room;
            room = room.saturating_sub(c.width().unwrap_or(0));
            fits
        })
        .collect::<String>();
    kept + CUT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>, name: &str) -> Table {
        let mut table = Table::new(["TYPE", "NAME", "STATUS", "ID"], width);
        table.row([
            "Agent".into(),
            name.into(),
            "✓ Created".into(),
            "agt-01kb3v9f3e8r6t5y4u3i2o1pas".into(),
        ]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(
            table(None, "code-reviewer").to_string(),
            "TYPE    NAME            STATUS      ID\n\
             ─────   ─────────────   ─────────   ──────────────────────────────\n\
             Agent   code-reviewer   ✓ Created   agt-01kb3v9f3e8r6t5y4u3i2o1pas\n"
        );
    }

    #[test]
    fn without_a_limit_nothing_is_cut() {
        let name = "n".repeat(63);
        assert!(table(None, &name).to_string().contains(&name));
    }

    #[test]
    fn an_id_outlasts_a_long_name() {
        let text = table(Some(80), &"n".repeat(63)).to_string();
        assert!(
            text.contains("agt-01kb3v9f3e8r6t5y4u3i2o1pas") && text.contains("nnn..."),
            "{text}"
        );
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    }

    #[test]
    fn wide_characters_count_double_and_line_breaks_do_not_break_rows() {
        let mut table = Table::new(["NAME", "ACTION"], None);
        table.row(["日本".into(), "Create".into()]);
        table.row(["a\nb".into(), "Create".into()]);
        assert_eq!(
            table.to_string().lines().skip(2).collect::<Vec<_>>(),
            ["日本   Create", "a b    Create"]
        );
    }
}
