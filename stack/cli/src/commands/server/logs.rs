//! `stigmer server logs`.

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use serde_json::json;

use crate::{
    cli::LogsArgs,
    daemon::{
        Layout, Part,
        logs::{Component, Follower, LogLine, merged_tail},
    },
    render::Output,
};

/// How often the logs are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Shows the ends of logs, and follows them until it is interrupted.
pub async fn execute(args: &LogsArgs, out: &Output) -> Result<ExitCode> {
    let layout = Layout::of_user()?;
    let components = components(args)?;
    head(args, &components, &layout, out);
    // Before the tail is read, so that no line falls in between; a line that comes meanwhile is
    // rather shown twice than never.
    let mut follower = Follower::at_the_end(&layout, &components);
    let several = components.len() > 1;
    for line in merged_tail(&layout, &components, args.tail) {
        show(&line, several, out);
    }
    if args.follow {
        follow(&mut follower, several, out).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what is added, for ever: whoever has seen enough interrupts it.
async fn follow(follower: &mut Follower, labelled: bool, out: &Output) {
    loop {
        for line in follower.look() {
            show(&line, labelled, out);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn components(args: &LogsArgs) -> Result<Vec<Component>> {
    let Some(name) = &args.component else {
        return Ok(match args.all {
            true => Component::ALL.to_vec(),
            false => vec![Component::Part(Part::Server)],
        });
    };
    match Component::ALL.into_iter().find(|c| c.name() == name) {
        Some(component) => Ok(vec![component]),
        None => {
            let names = Component::ALL.map(Component::name).join(", ");
            bail!("Invalid component: {name} (must be one of {names})")
        }
    }
}

fn head(args: &LogsArgs, components: &[Component], layout: &Layout, out: &Output) {
    let screen = out.screen();
    match components {
        [one] => {
            let file = one.log(layout);
            match (file.exists(), args.tail) {
                (false, _) => screen.warning(format!("Log file does not exist: {file}")),
                (true, 0) => screen.info(format!("Streaming logs from: {file}")),
                (true, tail) => screen.info(format!(
                    "Streaming logs from: {file} (showing last {tail} lines)"
                )),
            }
        }
        _ if args.follow => {
            screen.info("Streaming logs from all components, interleaved by timestamp");
            screen.info("Press Ctrl+C to stop");
        }
        _ => {
            let count = match args.tail {
                0 => "all lines".to_owned(),
                tail => format!("last {tail} lines"),
            };
            screen.info(format!(
                "Showing {count} from all components, interleaved by timestamp"
            ));
        }
    }
}

fn show(line: &LogLine, labelled: bool, out: &Output) {
    match labelled {
        true => out.screen().plain(line.labelled()),
        false => out.screen().plain(&line.text),
    }
    out.report(&json!({
        "component": line.component.name(), "time": line.time, "line": line.text,
    }));
}
