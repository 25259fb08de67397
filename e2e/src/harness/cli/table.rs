//! The CLI's tables, read back into cells so that tests compare whole values.

/// A table: its header and its rows, every cell trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The column titles.
    pub columns: Vec<String>,
    /// One entry per row, one text per column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The first table in `text`: the line above a line of rules, and every line below it up to an
    /// empty one. `None` when there is no rule line with two columns or more.
    pub fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().collect::<Vec<_>>();
        let (rule, spans) = lines
            .iter()
            .enumerate()
            .find_map(|(i, line)| column_spans(line).filter(|_| i > 0).map(|spans| (i, spans)))?;
        let rows = lines[rule + 1..]
            .iter()
            .take_while(|line| !line.trim().is_empty())
            .map(|line| cells(line, &spans));
        Some(Self {
            columns: cells(lines[rule - 1], &spans),
            rows: rows.collect(),
        })
    }

    /// The cells of `column`, top to bottom; empty when there is no such column.
    pub fn column(&self, column: &str) -> Vec<&str> {
        let Some(index) = self.columns.iter().position(|title| title == column) else {
            return Vec::new();
        };
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }
}

/// Where the columns are, in characters, if `line` is made of rules. A column reaches up to the
/// next one, the last to the end of the line.
fn column_spans(line: &str) -> Option<Vec<(usize, usize)>> {
    let characters = line.chars().collect::<Vec<_>>();
    if !characters.iter().all(|c| matches!(c, '─' | ' ')) {
        return None;
    }
    let starts = (0..characters.len())
        .filter(|&i| characters[i] == '─' && (i == 0 || characters[i - 1] == ' '))
        .collect::<Vec<_>>();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    (starts.len() >= 2).then(|| starts.iter().copied().zip(ends).collect())
}

fn cells(line: &str, spans: &[(usize, usize)]) -> Vec<String> {
    let cell = |&(start, end): &(usize, usize)| {
        line.chars()
            .skip(start)
            .take(end.saturating_sub(start))
            .collect::<String>()
            .trim()
            .to_owned()
    };
    spans.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "✓ 🚀 Deployment successful!\n\n\
        TYPE    NAME            STATUS      ID\n\
        ─────   ─────────────   ─────────   ──────\n\
        Agent   code-reviewer   ✓ Created   agt-01\n\
        Agent   b               ✓ Updated   agt-02\n\n\
        ✅ Successfully applied 2 resource(s)\n";

    #[test]
    fn cells_are_found_by_the_rule_line() {
        let table = Table::parse(TEXT).unwrap();
        assert_eq!(table.columns, ["TYPE", "NAME", "STATUS", "ID"]);
        assert_eq!(
            table.rows[0],
            ["Agent", "code-reviewer", "✓ Created", "agt-01"]
        );
        assert_eq!(table.column("ID"), ["agt-01", "agt-02"]);
    }

    #[test]
    fn a_single_rule_is_no_table() {
        assert_eq!(Table::parse("Done\n────────────\nmore\n"), None);
        assert_eq!(Table::parse(""), None);
    }
}
