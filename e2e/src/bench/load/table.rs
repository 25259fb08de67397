//! A load as lines for people, as lines for machines, and as a page.

use camino::Utf8Path;
use stigmer_e2e::load::{Figure, GAIN, LevelRecord, LoadRecord, ProcessUse, Timed};
use stigmer_e2e_plan::columns;

use super::{super::measured::Origin, Judged};

/// What a level came to.
const LEVEL: [&str; 15] = [
    "mix",
    "at once",
    "done",
    "per s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "bare: per s",
    "p50 ms",
    "p99 ms",
    "p50 ratio",
    "p99 ratio",
    "model: per s",
    "p50 ms",
    "p50 ratio",
];
/// What a process used at a level.
const PROCESS: [&str; 6] = [
    "mix",
    "at once",
    "process",
    "MiB first/peak/last",
    "growth MiB",
    "files first/peak/last",
];

fn level(record: &LoadRecord, level: &LevelRecord) -> Vec<String> {
    let (stack, bare) = (&level.stack, &level.temporal);
    let model = level.model.as_ref();
    let rate = |timed: &Timed| format!("{:.1}", timed.per_second);
    let ms = |ms: f64| format!("{ms:.1}");
    let of_model = |say: &dyn Fn(&Timed) -> String| model.map_or_else(|| "–".to_owned(), say);
    vec![
        record.mix.to_string(),
        level.at_once.to_string(),
        stack.ms.len().to_string(),
        rate(stack),
        ms(stack.p50_ms),
        ms(stack.p95_ms),
        ms(stack.p99_ms),
        rate(bare),
        ms(bare.p50_ms),
        ms(bare.p99_ms),
        format!("{:.2}", stack.p50_ms / bare.p50_ms),
        format!("{:.2}", stack.p99_ms / bare.p99_ms),
        of_model(&rate),
        of_model(&|model| ms(model.p50_ms)),
        of_model(&|model| format!("{:.1}", stack.p50_ms / model.p50_ms)),
    ]
}

fn process(record: &LoadRecord, level: &LevelRecord, used: &ProcessUse) -> Vec<String> {
    let before = record.levels[0].processes.iter();
    let first = before
        .filter(|it| it.name == used.name)
        .map(|it| it.first_mib);
    let growth = used.last_mib - first.fold(0.0, f64::max);
    vec![
        record.mix.to_string(),
        level.at_once.to_string(),
        used.name.clone(),
        format!(
            "{:.0}/{:.0}/{:.0}",
            used.first_mib, used.peak_mib, used.last_mib
        ),
        format!("{growth:+.0}"),
        format!(
            "{}/{}/{}",
            used.first_files, used.peak_files, used.last_files
        ),
    ]
}

fn levels(records: &[LoadRecord]) -> Vec<Vec<String>> {
    let of = |record| move |one| level(record, one);
    let rows = records
        .iter()
        .flat_map(|record| record.levels.iter().map(of(record)));
    rows.collect()
}

fn processes(records: &[LoadRecord]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for record in records {
        for level in &record.levels {
            rows.extend(
                level
                    .processes
                    .iter()
                    .map(|used| process(record, level, used)),
            );
        }
    }
    rows
}

/// Where the knee of a mix is, in a sentence.
fn knee(record: &LoadRecord) -> String {
    let highest = record.levels.last().map_or(0, |level| level.at_once);
    match &record.knee {
        Some(knee) => format!(
            "{}: the knee is at {}: with {} at once the throughput is {:+.0} %, and the p99 takes {:.1} times as long",
            record.mix,
            knee.at_once,
            knee.next,
            knee.gain * 100.0,
            knee.p99_times
        ),
        None => format!(
            "{}: no knee up to {highest} at once: every level gained {:.0} % or took no longer",
            record.mix,
            GAIN * 100.0
        ),
    }
}

/// The broken limits, a line each, or that there is none.
fn limits(judged: &[Judged<Figure>], baseline: &Utf8Path) -> Vec<String> {
    let broken = judged.iter().filter(|it| it.is_regression());
    let mut lines: Vec<String> = broken
        .map(|it| format!("LIMIT BROKEN {}: {}", it.row.name, it.reason()))
        .collect();
    if lines.is_empty() {
        let compared = judged.iter().filter(|it| it.baseline.is_some()).count();
        lines.push(format!(
            "no limit is broken ({compared} of {} numbers are in {baseline})",
            judged.len()
        ));
    }
    lines
}

/// `METRIC <name> <value> <unit>` lines.
fn metrics(records: &[LoadRecord]) -> Vec<String> {
    let mut lines = Vec::new();
    for record in records {
        for level in &record.levels {
            let name = format!("load.{}.{}", record.mix, level.at_once);
            let of = [
                ("", Some(&level.stack)),
                (".temporal", Some(&level.temporal)),
                (".model", level.model.as_ref()),
            ];
            for (whose, timed) in of.into_iter().filter_map(|(whose, it)| Some((whose, it?))) {
                let values = [
                    ("throughput", timed.per_second, "1/s"),
                    ("p50", timed.p50_ms, "ms"),
                    ("p95", timed.p95_ms, "ms"),
                    ("p99", timed.p99_ms, "ms"),
                ];
                lines.extend(values.map(|(what, value, unit)| {
                    format!("METRIC {name}{whose}.{what} {value:.3} {unit}")
                }));
            }
            for used in &level.processes {
                let process = &used.name;
                lines.push(format!(
                    "METRIC {name}.{process}.memory {:.1} MiB",
                    used.peak_mib
                ));
                lines.push(format!(
                    "METRIC {name}.{process}.files {} files",
                    used.peak_files
                ));
            }
        }
        if let Some(knee) = &record.knee {
            lines.push(format!(
                "METRIC load.{}.knee {} executions",
                record.mix, knee.at_once
            ));
        }
    }
    lines
}

/// Tables for the terminal.
pub fn text(records: &[LoadRecord], judged: &[Judged<Figure>], baseline: &Utf8Path) -> String {
    let table = |head: &[&str], rows: Vec<Vec<String>>| {
        let head = head.iter().map(|title| (*title).to_owned()).collect();
        columns(&[vec![head], rows].concat())
    };
    let mut text =
        table(&LEVEL, levels(records)) + "\n" + &table(&PROCESS, processes(records)) + "\n";
    let knees = records.iter().map(knee);
    for line in knees
        .chain(metrics(records))
        .chain(limits(judged, baseline))
    {
        text += &(line + "\n");
    }
    text
}

/// A page of the documentation.
pub fn page(origin: &Origin, records: &[LoadRecord], judged: &[Judged<Figure>]) -> String {
    let table = |head: &[&str], rows: Vec<Vec<String>>| {
        let rule = head.iter().map(|_| "---").collect::<Vec<_>>().join("|");
        let mut table = format!("| {} |\n|{rule}|\n", head.join(" | "));
        for row in rows {
            table += &format!("| {} |\n", row.join(" | "));
        }
        table
    };
    let limit = |it: &Judged<Figure>| {
        let [low, high] = it.row.interval;
        vec![
            it.row.name.clone(),
            format!("{:.2} {}", it.row.value, it.row.unit),
            format!("{low:.2} to {high:.2}"),
            it.short(),
        ]
    };
    let plan = &records[0].plan;
    let temporal = plan.temporal.as_ref();
    let temporal = temporal.map_or("the pinned dev server".to_owned(), ToString::to_string);
    let knees: String = records
        .iter()
        .map(|it| format!("- {}\n", knee(it)))
        .collect();
    format!(
        "# Load, measured\n\n\
         Made by `cargo xtask load --page docs/load-measured.md` from run {} of {}, on {}; {} of each runner, Temporal: {temporal}. What the columns mean, and how to \
         go beyond one machine: [load.md](load.md).\n\n\
         {knees}\n{}\n## Memory and open files\n\nGrowth is from before the first level to after this one.\n\n{}\n## Limits\n\n{}",
        origin.run_id,
        origin.started_at.get(..10).unwrap_or_default(),
        origin.host,
        plan.runners,
        table(&LEVEL, levels(records)),
        table(&PROCESS, processes(records)),
        table(
            &["Number", "Value", "95 %", "Verdict"],
            judged.iter().map(limit).collect()
        ),
    )
}
