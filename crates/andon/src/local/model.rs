//! The model behind the endpoint's name: the project's own server with the example's model, as a process of its own.
//!
//! It answers InvokeEndpoint's path as SageMaker's runtime does in front of the container. However this process ends, the
//! server does too: it reads a pipe that only this process holds.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use control_plan::ControlPlan;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use sagemaker_caller::{Form, encode, scores};
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::group::Group;
use super::python::neutral_environment;
use crate::failure::Failure;

/// The package of the server, and its binary.
pub const PACKAGE: &str = "model-server";
/// What the endpoint is called in the deployment.
pub const ENDPOINT: &str = "local";
/// The variable that leads the functions' clients to it.
const VARIABLE: &str = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME";
/// Loading the model takes a fraction of a second.
const START: Duration = Duration::from_secs(30);
/// Rows that it is asked about in a call.
const ROWS: usize = 1_000;

/// The server at work. Dropping it ends it.
pub struct ModelServer {
    address: String,
    /// Holds its standard input too.
    _process: Group,
    log: JoinHandle<()>,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.log.abort();
    }
}

/// A line of its log.
#[derive(Deserialize)]
struct Line {
    message: Option<String>,
    address: Option<String>,
    error: Option<String>,
}

impl ModelServer {
    /// Starts it with the model in `folder` and waits until it listens.
    pub async fn start(binary: &Path, folder: &Path, logs: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(logs).map_err(cannot)?;
        let mut log = File::create(logs.join(format!("{PACKAGE}.log"))).map_err(cannot)?;
        let mut process = Group::spawn(&mut command(binary, folder)).map_err(cannot)?;
        let output = process.0.stdout.take();
        let mut lines = BufReader::new(output.ok_or_else(|| dead(None))?).lines();
        let listening = listening(&mut lines, &mut log);
        let address = timeout(START, listening).await.map_err(cannot)??;
        let log = tokio::spawn(async move {
            while let Ok(Some(text)) = lines.next_line().await {
                note(&mut log, &text);
            }
        });
        Ok(Self {
            address,
            _process: process,
            log,
        })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What leads a function's client to it instead of the local AWS, which has no models.
    pub fn client_environment(&self) -> (&'static str, String) {
        (VARIABLE, format!("http://{}", self.address))
    }

    /// What the model says of these rows, past the function; none for a row that is missing.
    pub async fn scores(
        &self,
        plan: &ControlPlan,
        rows: &[Option<Vec<f64>>],
    ) -> Result<Vec<Option<f64>>, Failure> {
        let Some(model) = plan.model() else {
            return Ok(vec![None; rows.len()]);
        };
        let whole: Vec<_> = rows
            .iter()
            .flatten()
            .map(|row| encode(model.request(), row))
            .collect();
        let mut found = Vec::new();
        for rows in whole.chunks(ROWS) {
            let body = Form::of(model.request()).body(rows.iter().map(String::as_str));
            let kinds = (
                model.request().as_str(),
                model.answer().content_type.as_str(),
            );
            let answer = self.ask(body, kinds).await?;
            let answered = scores(model.answer(), &answer, rows.len());
            found.extend(answered.map_err(cannot)?);
        }
        let mut found = found.into_iter();
        let scores = rows.iter().map(|row| {
            let score = row.as_ref().and_then(|_| found.next());
            score.filter(|score| !score.is_nan())
        });
        Ok(scores.collect())
    }

    async fn ask(&self, body: Vec<u8>, (request, answer): (&str, &str)) -> Result<Bytes, Failure> {
        let stream = TcpStream::connect(&self.address).await.map_err(cannot)?;
        let shake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shake.map_err(cannot)?;
        let connection = tokio::spawn(connection);
        let request = Request::post("/invocations")
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, request)
            .header(header::ACCEPT, answer)
            .body(Full::new(Bytes::from(body)))
            .map_err(cannot)?;
        let answer = sender.send_request(request).await.map_err(cannot)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(cannot)?;
        connection.abort();
        match status {
            StatusCode::OK => Ok(body.to_bytes()),
            _ => Err(Failure::check(format_args!(
                "the model server answers {status}: {}",
                String::from_utf8_lossy(&body.to_bytes())
            ))),
        }
    }
}

/// The server with the model in `folder`, knowing nothing of the user's own settings, accounts and wishes for logs.
fn command(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["serve", "--endpoint", "--until-stdin-ends"])
        .args(["--bind", "127.0.0.1", "--port", "0", "--model-dir"])
        .arg(folder)
        .env_clear()
        .envs(neutral_environment())
        // Where it listens is told at this level.
        .env("RUST_LOG", "info")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Reads the log until it tells where the server listens.
async fn listening(
    lines: &mut Lines<impl AsyncBufRead + Unpin>,
    log: &mut File,
) -> Result<String, Failure> {
    let (mut error, mut last) = (None, None);
    while let Some(text) = lines.next_line().await.map_err(cannot)? {
        note(log, &text);
        if let Ok(line) = serde_json::from_str::<Line>(&text) {
            let listens = line.message.as_deref() == Some("listening");
            if let Some(address) = line.address.filter(|_| listens) {
                return Ok(address);
            }
            error = line.error.or(error);
        }
        last = Some(text);
    }
    Err(dead(error.or(last)))
}

/// Where the example's model lies.
pub fn folder(root: &Path) -> PathBuf {
    root.join("infra/model")
}

/// A full disk ends the log, not the run.
fn note(log: &mut File, line: &str) {
    let _ = writeln!(log, "{line}");
}

fn cannot(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::check("the model server does not answer")
        .caused_by(error)
        .cure("its log is model-server.log, beside those of the functions")
}

/// `cause` is what it said last.
fn dead(cause: Option<String>) -> Failure {
    let dead = Failure::check("the model server ended at its start");
    let dead = match cause {
        Some(cause) => dead.caused_by(cause),
        None => dead,
    };
    dead.cure("its log is model-server.log, beside those of the functions")
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn the_log_tells_where_the_server_listens_or_why_it_does_not() {
        let unusable = r#"{"level":"ERROR","error":"m.onnx cannot be run","message":"no start"}"#;
        for (log, expected) in [
            (
                r#"{"level":"INFO","message":"listening","address":"127.0.0.1:9"}"#.to_owned(),
                Ok("127.0.0.1:9"),
            ),
            (
                r#"{"message":"accepted","address":"127.0.0.1:9"}"#.to_owned(),
                Err("accepted"),
            ),
            (
                format!("{unusable}\nthe end"),
                Err("its start: m.onnx cannot be run\n"),
            ),
            ("Killed".to_owned(), Err("its start: Killed\n")),
            (String::new(), Err("its start\n")),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            let found = listening(&mut log.as_bytes().lines(), &mut file).await;
            match (found, expected) {
                (Ok(address), expected) => assert_eq!(Ok(address.as_str()), expected),
                (Err(failure), Err(expected)) => {
                    assert!(failure.to_string().contains(expected), "{failure}");
                }
                (Err(failure), Ok(_)) => panic!("{failure}"),
            }
        }
    }

    /// A shell takes the server's place and runs what it takes for the script `serve`.
    #[tokio::test]
    async fn the_server_knows_nothing_of_the_user_and_its_standard_input_is_held() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("serve"), "env; echo \"$*\"; cat").unwrap();
        let mut command = command(Path::new("/bin/sh"), Path::new("model"));
        let mut server = Group::spawn(command.current_dir(folder.path())).unwrap();
        let mut said = String::new();
        let mut output = server.0.stdout.take().unwrap();
        // `cat` ends with it, and with `cat` the output.
        drop(server.0.stdin.take().unwrap());
        output.read_to_string(&mut said).await.unwrap();

        assert!(said.contains("--until-stdin-ends"), "{said}");
        assert!(said.lines().any(|line| line == "RUST_LOG=info"), "{said}");
        // cargo sets variables of its own for a test.
        for prefix in ["AWS_", "CARGO", "SAGEMAKER_"] {
            assert!(!said.lines().any(|line| line.starts_with(prefix)), "{said}");
        }
    }
}
