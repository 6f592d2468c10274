//! The process group of one environment: it ends as a whole, however its host ends.

use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// What every system with process groups has, by its standard (POSIX, "sh").
const SHELL: &str = "/bin/sh";
/// Waits for the end of standard input, which nobody writes to, and then kills the group that it is in. What a process of
/// the group sends to all of it does not end the keeper.
const KEEP: &str = "trap '' TERM INT HUP; read -r end; kill -s KILL 0";

/// A group led by a shell that does nothing but keep it: its number stays its own for as long as it is needed, even after
/// the process that it is there for has gone. Dropped, everything in it is killed, the shell too.
pub(crate) struct Group {
    /// Holds the only other end of its standard input: where this process is killed, the system closes it.
    keeper: Child,
}

impl Group {
    /// A group with nothing in it yet.
    pub(crate) fn start() -> io::Result<Self> {
        let keeper = Command::new(SHELL)
            .args(["-c", KEEP])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{SHELL}: {error}")))?;
        Ok(Self { keeper })
    }

    /// Starts a process in it.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let number = self.keeper.id().and_then(|id| i32::try_from(id).ok());
        let number = number.ok_or_else(|| io::Error::other("its process group has ended"))?;
        command.process_group(number).kill_on_drop(true).spawn()
    }

    /// Kills whatever is in it, and waits until that is done.
    pub(crate) async fn end(mut self) {
        drop(self.keeper.stdin.take());
        // Only the reaping can fail, and then there is nothing left to reap.
        let _ = self.keeper.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, BufReader, Lines};
    use tokio::process::ChildStdout;
    use tokio::time::timeout;

    use super::*;

    /// A process with a child that holds its standard output too.
    async fn with_child(group: &Group) -> (Child, Lines<BufReader<ChildStdout>>) {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo started; wait"]);
        let mut process = group.spawn(command.stdout(Stdio::piped())).unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("started"));
        (process, lines)
    }

    async fn assert_closed(mut lines: Lines<BufReader<ChildStdout>>) {
        let end = timeout(Duration::from_secs(10), lines.next_line()).await;
        assert_eq!(end.unwrap().unwrap(), None);
    }

    #[tokio::test]
    async fn children_end_with_the_group() {
        let group = Group::start().unwrap();
        let (mut process, lines) = with_child(&group).await;
        group.end().await;
        assert_closed(lines).await;
        assert!(!process.wait().await.unwrap().success());
    }

    #[tokio::test]
    async fn children_end_though_their_parent_has_gone_before() {
        let group = Group::start().unwrap();
        let (mut process, lines) = with_child(&group).await;
        process.kill().await.unwrap();
        group.end().await;
        assert_closed(lines).await;
    }

    /// Nothing is called, the pipe is closed: as it is where the host is killed.
    #[tokio::test]
    async fn children_end_where_nobody_ends_the_group() {
        let group = Group::start().unwrap();
        let (_process, lines) = with_child(&group).await;
        drop(group);
        assert_closed(lines).await;
    }
}
