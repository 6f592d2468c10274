//! A process together with all that it starts: dropped, the whole group ends, not its leader alone.

use std::io;
use std::process::{Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// The leader of a process group of its own.
#[derive(Debug)]
pub struct Group(pub Child);

impl Group {
    /// Starts `command` as the leader.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        command
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map(Self)
    }

    /// Runs `command` to its end; what it wrote.
    pub async fn output(command: &mut Command) -> io::Result<Output> {
        let mut group = Self::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
        let (stdout, stderr) = tokio::try_join!(read(stdout), read(stderr))?;
        let status = group.0.wait().await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

impl Drop for Group {
    fn drop(&mut self) {
        // None once it has been waited for: then the number may be another's.
        let group = self
            .0
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // A group that is already gone is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn gives_what_was_written() {
        let mut command = Command::new("sh");
        let output = Group::output(command.args(["-c", "echo out; echo err >&2; exit 3"]));
        let output = output.await.unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.stderr.as_slice()),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(output.status.code(), Some(3));
    }

    /// The shell's child holds the pipe: its end is the end of both.
    #[tokio::test]
    async fn children_end_with_their_parent() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo started; wait"]);
        let mut group = Group::spawn(command.stdout(Stdio::piped())).unwrap();
        let mut lines = BufReader::new(group.0.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("started"));
        drop(group);
        let end = timeout(Duration::from_secs(10), lines.next_line()).await;
        assert_eq!(end.unwrap().unwrap(), None);
    }
}
