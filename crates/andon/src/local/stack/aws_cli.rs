//! The AWS CLI against the emulator, as one process that answers many commands: starting it costs more than most commands
//! do. The commands are those that a user would type; each gets a driver of its own, as if started anew.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::StackError;
use crate::local::python::{neutral_environment, tail};

/// A running AWS CLI. Dropping it ends it.
#[derive(Debug)]
pub(super) struct AwsCli {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl AwsCli {
    /// Starts it; `environment` leads it to the emulator.
    pub fn start(
        python: &Path,
        environment: &[(&'static str, String)],
    ) -> Result<Self, StackError> {
        let started = Command::new(python)
            .args(["-I", "-c", SERVE])
            .env_clear()
            .envs(neutral_environment())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .envs([("AWS_PAGER", ""), ("AWS_DEFAULT_OUTPUT", "json")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .and_then(
                |mut child| match (child.stdin.take(), child.stdout.take()) {
                    (Some(commands), Some(answers)) => Ok(Self {
                        child,
                        commands,
                        answers: BufReader::new(answers),
                    }),
                    _ => Err(io::Error::other("it has no pipes")),
                },
            );
        started.map_err(|source| StackError::Io {
            what: "start the AWS CLI".to_owned(),
            source,
        })
    }

    /// Runs a command and reads its answer.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        words: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Result<T, StackError> {
        let (command, output) = self.call(words).await?;
        serde_json::from_str(&output).map_err(|source| StackError::Answer { command, source })
    }

    /// Runs a command whose answer nobody needs.
    pub async fn run(
        &mut self,
        words: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Result<(), StackError> {
        self.call(words).await.map(|_| ())
    }

    async fn call(
        &mut self,
        words: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Result<(String, String), StackError> {
        let words: Vec<OsString> = words
            .into_iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        let words: Vec<&str> = words
            .iter()
            .map(|word| as_text(word))
            .collect::<Result<_, _>>()?;
        let command = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
        let answer = match self.exchange(&words).await {
            Ok(line) if !line.is_empty() => line,
            Ok(_) => {
                return Err(StackError::Cli {
                    command,
                    output: self.last_words().await,
                });
            }
            Err(source) => {
                return Err(StackError::Io {
                    what: format!("talk to the AWS CLI about {command}"),
                    source,
                });
            }
        };
        match serde_json::from_str(&answer) {
            Ok(Answer { status: 0, out, .. }) => Ok((command, out)),
            Ok(Answer { err, .. }) => Err(StackError::Cli {
                command,
                output: tail(&err, 12),
            }),
            Err(source) => Err(StackError::Answer { command, source }),
        }
    }

    async fn exchange(&mut self, words: &[&str]) -> io::Result<String> {
        let mut line = serde_json::to_vec(words)?;
        line.push(b'\n');
        self.commands.write_all(&line).await?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).await?;
        Ok(answer)
    }

    /// What it said before it ended.
    async fn last_words(&mut self) -> String {
        let mut said = Vec::new();
        if let Some(errors) = &mut self.child.stderr {
            // Whatever can be read is better than nothing.
            let _ = errors.read_to_end(&mut said).await;
        }
        tail(&String::from_utf8_lossy(&said), 12)
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    status: i32,
    out: String,
    err: String,
}

/// One command a line as a JSON list of words; one answer a line. A bad command exits instead of returning.
const SERVE: &str = "
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver

answers = sys.stdout
for line in sys.stdin.buffer:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = create_clidriver().main(json.loads(line))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    print(json.dumps({'status': status or 0, 'out': out.getvalue(), 'err': err.getvalue()}), file=answers, flush=True)
";

fn as_text(word: &OsStr) -> Result<&str, StackError> {
    word.to_str().ok_or_else(|| StackError::Io {
        what: format!("use the path {}", word.display()),
        source: io::Error::new(io::ErrorKind::InvalidInput, "it is not valid UTF-8"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from the served AWS CLI 1.46.2.
    #[test]
    fn reads_an_answer() {
        let refused: Answer = serde_json::from_str(
            r#"{"status": 255, "out": "", "err": "\nParameter validation failed:\nInvalid length for parameter UUID\n"}"#,
        )
        .unwrap();
        assert_eq!((refused.status, refused.out.as_str()), (255, ""));
        assert!(refused.err.contains("Invalid length for parameter UUID"));
    }

    #[test]
    fn a_path_that_is_no_text_is_refused_by_name() {
        use std::os::unix::ffi::OsStrExt;
        let error = as_text(OsStr::from_bytes(b"target/\xff")).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot use the path target/"),
            "{error}"
        );
    }
}
