//! The benchmarks as lines for people, as lines for machines, and as a page.

use super::{measured::Measured, verdict::Judged};

/// A table for the terminal.
pub fn text(judged: &[Judged]) -> String {
    let widest = judged.iter().map(|it| it.row.name.len()).max();
    let width = widest.unwrap_or_default();
    let mut text = String::new();
    for it in judged {
        let [low, high] = it.row.interval_ms;
        text += &format!(
            "{:width$}  {:>9.1} ms  ({low:.1} to {high:.1}, MAD {:.1}, n {})  {}\n",
            it.row.name,
            it.row.median_ms,
            it.row.mad_ms,
            it.row.rounds,
            it.reason()
        );
    }
    text
}

/// `METRIC <name> <value> <unit>` lines.
pub fn metrics(judged: &Judged) -> Vec<String> {
    let name = judged.row.name.replace(' ', "_");
    let mut lines = vec![
        format!("METRIC {name}.median {:.3} ms", judged.row.median_ms),
        format!("METRIC {name}.mad {:.3} ms", judged.row.mad_ms),
    ];
    if let Some(beside) = &judged.row.beside {
        lines.push(format!("METRIC {name}.anchor {:.3} ms", beside.median_ms));
        lines.push(format!("METRIC {name}.ratio {:.3} times", beside.ratio));
    }
    lines
}

/// A page of the documentation.
pub fn page(measured: &Measured, judged: &[Judged]) -> String {
    let mut page = format!(
        "# Benchmarks\n\n\
         Made by `cargo xtask bench --page docs/benchmarks.md` from run {} of {}, on {}. Milliseconds are medians, with the interval that holds the \
         true median in 95 of 100 cases (bootstrap), and the median distance from the median (MAD). The ratio says how many times the anchor's median \
         goes into the benchmark's; both were measured in turn, in the same rounds. Compare ratios, not milliseconds: the machine's speed changes.\n\n\
         | Benchmark | Median | 95 % | MAD | Rounds | Beside | Its median | Ratio | 95 % | Verdict |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        measured.origin.run_id,
        measured.origin.started_at.get(..10).unwrap_or_default(),
        measured.origin.host,
    );
    for it in judged {
        let row = &it.row;
        let [low, high] = row.interval_ms;
        let beside = row.beside.as_ref().map_or_else(
            || "– | – | – | –".to_owned(),
            |beside| {
                let [low, high] = beside.interval;
                let (what, median, ratio) = (&beside.what, beside.median_ms, beside.ratio);
                format!("{what} | {median:.1} ms | {ratio:.2} | {low:.2} to {high:.2}")
            },
        );
        page += &format!(
            "| **{}**: {} | {:.1} ms | {low:.1} to {high:.1} | {:.1} | {} | {beside} | {} |\n",
            row.name,
            row.what,
            row.median_ms,
            row.mad_ms,
            row.rounds,
            it.short()
        );
    }
    page
}
