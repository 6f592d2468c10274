//! The local AWS: one emulator process on a free loopback port.
//!
//! Promises: nothing listens beyond this machine; the emulator and whatever it starts end with this process, however it
//! ends (the emulator reads a pipe that only this process holds, and kills its own process group when it closes); a death
//! shows with the end of its log; no account, profile or endpoint of the user is ever seen by it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::python::{Tools, neutral_environment, tail};

/// Where the emulator says it is.
pub const REGION: &str = "us-east-1";

/// A running emulator. Dropping it ends it.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Emulator {
    /// Starts it and waits until it answers. `folder` is `target/andon`; the log is `ministack.log` in there.
    pub async fn start(tools: &Tools, folder: &Path) -> Result<Self, EmulatorError> {
        let log = folder.join("ministack.log");
        for _ in 1..PORT_ATTEMPTS {
            match Self::start_on(free_port().await?, tools, folder, &log).await {
                // Between finding a port and binding it, somebody else may take it.
                Err(EmulatorError::Died { tail, .. }) if tail.contains("already in use") => {}
                started => return started,
            }
        }
        Self::start_on(free_port().await?, tools, folder, &log).await
    }

    /// A process that stands in for it, whatever it does.
    #[cfg(test)]
    pub(super) fn stand_in(child: Child, log: PathBuf) -> Self {
        Self {
            child,
            port: 0,
            log,
        }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The variables that lead any AWS client (SDK, CLI, a function) to this emulator and to nothing else.
    pub fn client_environment(&self) -> Vec<(&'static str, String)> {
        client_environment(&self.endpoint())
    }

    /// Where its log is.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it is still there.
    pub fn check(&mut self) -> Result<(), EmulatorError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.died(&status.to_string())),
            Err(error) => Err(self.died(&error.to_string())),
        }
    }

    /// Forgets every resource, as if just started.
    pub async fn reset(&self) -> Result<(), EmulatorError> {
        match self.request("POST", "/_ministack/reset").await {
            Ok(200) => Ok(()),
            Ok(status) => Err(EmulatorError::Reset { status }),
            Err(source) => Err(EmulatorError::Io {
                what: "reset the emulator".to_owned(),
                source,
            }),
        }
    }

    /// Ends it and everything it started, and waits until it is gone.
    pub async fn stop(mut self) {
        self.kill();
        // Only reaping is left: there is nothing to do about its failure.
        let _ = self.child.wait().await;
    }

    async fn start_on(
        port: u16,
        tools: &Tools,
        folder: &Path,
        log: &Path,
    ) -> Result<Self, EmulatorError> {
        let scratch = folder.join("ministack");
        let child = spawn(port, tools.emulator_python(), &scratch, log).map_err(|source| {
            EmulatorError::Io {
                what: format!("start the emulator in {}", folder.display()),
                source,
            }
        })?;
        let mut emulator = Self {
            child,
            port,
            log: log.to_owned(),
        };
        emulator.wait_until_healthy().await?;
        Ok(emulator)
    }

    async fn wait_until_healthy(&mut self) -> Result<(), EmulatorError> {
        let given_up = Instant::now() + START_LIMIT;
        loop {
            self.check()?;
            if matches!(self.request("GET", "/_ministack/health").await, Ok(200)) {
                return Ok(());
            }
            if Instant::now() >= given_up {
                return Err(EmulatorError::Silent {
                    seconds: START_LIMIT.as_secs(),
                    tail: self.log_tail(),
                });
            }
            sleep(HEALTH_INTERVAL).await;
        }
    }

    /// One request without a body; the answer's status.
    async fn request(&self, method: &str, path: &str) -> io::Result<u16> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let exchange = async {
            let mut stream = TcpStream::connect(address).await?;
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            status_of(&answer).ok_or_else(|| io::Error::other("no HTTP answer"))
        };
        timeout(REQUEST_LIMIT, exchange)
            .await
            .map_err(io::Error::from)?
    }

    fn died(&self, status: &str) -> EmulatorError {
        EmulatorError::Died {
            status: status.to_owned(),
            tail: self.log_tail(),
            log: self.log.clone(),
        }
    }

    fn log_tail(&self) -> String {
        tail(&std::fs::read_to_string(&self.log).unwrap_or_default(), 12)
    }

    fn kill(&self) {
        let group = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // It keeps nothing worth an orderly end. A group that is already gone is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What went wrong with the emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// A file, port or process was refused.
    #[error("cannot {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It ended by itself.
    #[error("the local AWS ended by itself ({status})")]
    Died {
        /// How it ended.
        status: String,
        /// The end of its log.
        tail: String,
        /// Where the log is.
        log: PathBuf,
    },
    /// It runs and does not answer.
    #[error("the local AWS did not answer within {seconds} s")]
    Silent {
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        tail: String,
    },
    /// It refused to forget.
    #[error("the local AWS answered {status} to a reset")]
    Reset {
        /// The HTTP status.
        status: u16,
    },
}

impl EmulatorError {
    /// What the user can do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Io { .. } => {
                "check that the target folder can be written, then run again".to_owned()
            }
            Self::Died { tail, log, .. } => format!("its log, {}, ends so:\n{tail}", log.display()),
            Self::Silent { tail, .. } => {
                format!("is the machine very busy? Its log ends so:\n{tail}")
            }
            Self::Reset { .. } => "run again: a new emulator starts empty".to_owned(),
        }
    }
}

const PORT_ATTEMPTS: usize = 3;
const START_LIMIT: Duration = Duration::from_secs(60);
const HEALTH_INTERVAL: Duration = Duration::from_millis(50);
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Runs the emulator, and kills its process group once standard input ends.
const LAUNCH: &str = "
import os, runpy, signal, sys, threading

def end_with_parent():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv = ['ministack']
runpy.run_module('ministack', run_name='__main__', alter_sys=True)
";

fn spawn(port: u16, python: &Path, scratch: &Path, log: &Path) -> io::Result<Child> {
    match std::fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(scratch)?;
    let output = std::fs::File::create(log)?;
    let errors = output.try_clone()?;
    let endpoint = format!("http://127.0.0.1:{port}");
    Command::new(python)
        .args(["-I", "-c", LAUNCH])
        .env_clear()
        .envs(neutral_environment())
        .envs(client_environment(&endpoint))
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("TMPDIR", scratch)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// What leads an AWS client to `endpoint` and shuts out the user's own configuration.
pub fn client_environment(endpoint: &str) -> Vec<(&'static str, String)> {
    let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_CONFIG_FILE", nowhere),
        ("AWS_SHARED_CREDENTIALS_FILE", nowhere),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

async fn free_port() -> Result<u16, EmulatorError> {
    let bound = async {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await?
            .local_addr()
    };
    let address = bound.await.map_err(|source| EmulatorError::Io {
        what: "find a free port on 127.0.0.1".to_owned(),
        source,
    })?;
    Ok(address.port())
}

/// The status of an HTTP/1.1 answer.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.1 ")?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_of_an_answer() {
        for (answer, status) in [
            ("HTTP/1.1 200 OK\r\n\r\n{}", Some(200)),
            ("HTTP/1.1 503 \r\n", Some(503)),
            ("HTTP/1.1 20", None),
            ("SSH-2.0-OpenSSH", None),
            ("", None),
        ] {
            assert_eq!(status_of(answer.as_bytes()), status, "{answer:?}");
        }
    }

    #[test]
    fn clients_are_led_to_the_emulator_and_away_from_the_users_accounts() {
        let environment = client_environment("http://127.0.0.1:4566");
        let value = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:4566"));
        assert_eq!(value("AWS_REGION"), Some(REGION));
        for hidden in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            assert_eq!(value(hidden), Some("/dev/null"), "{hidden}");
        }
        assert!(
            neutral_environment()
                .iter()
                .all(|(name, _)| !name.starts_with("AWS_"))
        );
    }

    #[test]
    fn a_death_shows_the_end_of_the_log() {
        let died = EmulatorError::Died {
            status: "exit status: 1".to_owned(),
            tail: "OSError: [Errno 98] address already in use".to_owned(),
            log: PathBuf::from("target/andon/ministack.log"),
        };
        assert_eq!(
            died.to_string(),
            "the local AWS ended by itself (exit status: 1)"
        );
        assert!(died.cure().contains("target/andon/ministack.log"));
        assert!(died.cure().ends_with("already in use"));
    }
}
