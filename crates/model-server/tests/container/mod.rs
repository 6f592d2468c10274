//! The server's process, and an HTTP client of one page.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; killed with its test.
pub struct Container {
    process: Child,
    pub address: SocketAddr,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Where the trained model is.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/model")
}

/// The committed sample: rows, and what scikit-learn answers.
pub fn sample() -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let text = std::fs::read(models().join("sample.json")).unwrap();
    let sample: Value = serde_json::from_slice(&text).unwrap();
    let numbers = |value: &Value| -> Vec<f64> {
        let values = value.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).collect()
    };
    let rows = sample["rows"].as_array().unwrap().iter();
    rows.map(|row| (numbers(&row["features"]), numbers(&row["probabilities"])))
        .unzip()
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_model-server"));
    command
        .env_clear()
        .arg("serve")
        .arg("--model-dir")
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// A server that ends by itself, and what it logged.
pub fn start_failing(dir: &Path) -> (ExitStatus, String) {
    let output = command(dir).arg("--port").arg("0").output().unwrap();
    let log = String::from_utf8(output.stdout).unwrap();
    (output.status, log)
}

impl Container {
    /// On a free port.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[("SAGEMAKER_BIND_TO_PORT", "0")])
    }

    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(&models());
        Self::spawn(command.args(arguments).envs(variables.iter().copied()))
    }

    /// On a free port, until its standard input ends.
    pub fn start_held() -> Self {
        let mut command = command(&models());
        command.args(["--port", "0", "--until-stdin-ends"]);
        Self::spawn(command.stdin(Stdio::piped()))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(
                log.read_line(&mut line).unwrap() > 0,
                "it ended at its start"
            );
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().parse().unwrap();
            }
        };
        // Whatever else it logs must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, address }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        self.request("POST", path, &[("Content-Type", content_type)], body)
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes()).unwrap();
        // A server that refuses a body by its length may hang up before all of it has come.
        let _ = stream.write_all(body);
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length = field("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            content_type: field("content-type").unwrap_or_default(),
            head,
            body,
        }
    }

    /// Waits for a line of the metrics.
    pub fn until(&self, line: &str) {
        poll(|| {
            self.get("/metrics")
                .text()
                .lines()
                .any(|found| found == line)
        });
    }

    /// Waits until nobody can connect any more.
    pub fn until_closed(&self) {
        poll(|| {
            let refused = TcpStream::connect(self.address);
            refused.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
    }

    pub fn end_stdin(&mut self) {
        drop(self.process.stdin.take());
    }

    pub fn terminate(&self) {
        let id = i32::try_from(self.process.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    }

    pub fn exit_status(&mut self) -> ExitStatus {
        let mut status = None;
        poll(|| {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks again until it is so.
fn poll(mut holds: impl FnMut() -> bool) {
    let start = tokio::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "it did not come to that");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
