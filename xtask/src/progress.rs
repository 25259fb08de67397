//! Progress of several fetches at once: bars on a terminal, plain lines elsewhere. On stderr.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pins::Pin;

/// All bars of a phase.
pub struct Progress {
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Bars if stderr is a terminal.
    pub fn new() -> Self {
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { bars }
    }

    /// No progress.
    #[cfg(test)]
    pub fn hidden() -> Self {
        Self {
            bars: Some(MultiProgress::with_draw_target(ProgressDrawTarget::hidden())),
        }
    }

    /// A bar for one artefact.
    pub fn bar(&self, pin: &Pin<'_>) -> Bar {
        let label = format!("{} {}", pin.tool, pin.artefact.version);
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template(
                "  {prefix:24} {bar:24} {decimal_bytes:>9} of {decimal_total_bytes:9}  {msg}",
            )
            .expect("the template is a constant that indicatif understands");
            let bar = bars.add(
                ProgressBar::new(pin.download.wheel.size).with_style(style.progress_chars("=> ")),
            );
            bar.set_prefix(label.clone());
            bar
        });
        Bar { label, bar }
    }
}

/// How one artefact is getting on.
pub struct Bar {
    label: String,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// Says what is being done.
    pub fn stage(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => eprintln!("  {}: {what}", self.label),
        }
    }

    /// Says how many bytes are there.
    pub fn at(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    /// Says how it ended.
    pub fn done(&self, how: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(bar.length().unwrap_or(0));
                bar.finish_with_message(how.to_owned());
            }
            None => eprintln!("  {}: {how}", self.label),
        }
    }
}
