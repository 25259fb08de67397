//! Pids and ports that belong to others.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::Command,
};

use stigmer_e2e::{
    ensure,
    harness::{Daemon, budget::START, story},
};

use super::true_status;

#[test]
fn dmn_08_a_pid_file_is_never_believed() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let pid_file = daemon.folder().join("data/daemon.pid");
        fs::create_dir_all(daemon.folder().join("data"))?;
        let mut foreign = Command::new("sleep").arg("600").env_clear().spawn()?;
        let foreign_pid = foreign.id().to_string();
        let contents = [None, Some("no number"), Some(foreign_pid.as_str())];
        for content in contents {
            t.step(format!("start and stop with {content:?} in the pid file"));
            let write = || match content {
                Some(content) => fs::write(&pid_file, content),
                None if pid_file.exists() => fs::remove_file(&pid_file),
                None => Ok(()),
            };
            write()?;
            let report = daemon.status().await?;
            assert_eq!(
                report.state, "stopped",
                "with {content:?} and nothing running"
            );
            daemon.start().await?;
            let pid = daemon.status().await?.pid("stigmer-server")?;
            assert_eq!(fs::read_to_string(&pid_file)?, pid.to_string());
            write()?;
            let report = daemon.status().await?;
            assert_eq!(report.state, "running", "with {content:?} and a daemon");
            true_status(&t, &daemon).await?;
            daemon.stop().await?;
            ensure!(
                foreign.try_wait()?.is_none(),
                "the foreign process was ended"
            );
        }
        foreign.kill()?;
        foreign.wait()?;
        Ok(())
    });
}

#[test]
fn dmn_09_a_port_of_another_program_is_named_with_its_holder_and_left_alone() {
    story(async |t| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let variables = [
            "GRPC_PORT",
            "STIGMER_TEMPORAL_PORT",
            "STIGMER_TEMPORAL_UI_PORT",
        ];
        for variable in variables {
            t.step(format!("{variable} is taken"));
            let daemon = Daemon::with_own_temporal(&t)
                .await?
                .setting(variable, port.to_string());
            let start = daemon.try_start().await?;
            start
                .exited_with(1)?
                .says(&format!("port {port} "))?
                .says(&format!("process {} (", std::process::id()))?
                .says(variable)?;
            t.within(START, "a start that fails", start.duration)?;
            assert_eq!(start.stdout, "");
            daemon.nothing_is_left(&[])?;
            assert_eq!(daemon.status().await?.state, "stopped");
        }
        TcpStream::connect(("127.0.0.1", port))?;
        listener.accept()?;
        Ok(())
    });
}
