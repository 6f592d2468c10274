//! An endpoint on loopback: real sockets, real HTTP, answers as SageMaker writes them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reply {
    /// A score for every row: its feature, divided by 100.
    Scores,
    /// The same without the last row.
    OneTooFew,
    /// NaN for every row.
    NotANumber,
    /// The model's own status.
    Model(u16),
    /// SageMaker's own error.
    Service(u16, &'static str),
    /// The scores, but after that long.
    Late(Duration),
    /// The connection closes without an answer.
    Dropped,
    /// The connection closes in the middle of the answer.
    CutOff,
}

type Script = dyn Fn(usize, &[f64]) -> Reply + Send + Sync;

/// The server, and what it was asked.
pub struct Server {
    pub address: SocketAddr,
    pub calls: Arc<Mutex<Vec<Vec<f64>>>>,
}

impl Server {
    /// `script` gives the answer to call number n (from 0) about these rows.
    pub async fn start(script: impl Fn(usize, &[f64]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (script, heard): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&calls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&heard)));
            }
        });
        Self { address, calls }
    }

    /// How many rows each call had.
    pub fn sizes(&self) -> Vec<usize> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(Vec::len).collect()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, calls: Arc<Mutex<Vec<Vec<f64>>>>) {
    while let Some(rows) = request(&mut stream).await {
        let n = {
            let mut calls = calls.lock().unwrap();
            calls.push(rows.clone());
            calls.len() - 1
        };
        let reply = script(n, &rows);
        let lines = |scores: &[f64]| -> String {
            scores
                .iter()
                .map(|row| format!("{}\n", row / 100.0))
                .collect()
        };
        let (head, body) = match reply {
            Reply::Scores => (ok(), lines(&rows)),
            Reply::OneTooFew => (ok(), lines(&rows[1..])),
            Reply::NotANumber => (ok(), "nan\n".repeat(rows.len())),
            Reply::Late(after) => {
                tokio::time::sleep(after).await;
                (ok(), lines(&rows))
            }
            Reply::Model(status) => (
                error(424, "ModelError"),
                format!(
                    r#"{{"Message":"no","OriginalStatusCode":{status},"OriginalMessage":"no"}}"#
                ),
            ),
            Reply::Service(status, code) => (error(status, code), r#"{"message":"no"}"#.into()),
            Reply::Dropped => return,
            Reply::CutOff => {
                let head = format!("{}content-length: 1000\r\n\r\n0.", ok());
                let _ = stream.write_all(head.as_bytes()).await;
                return;
            }
        };
        let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn ok() -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\nx-Amzn-Invoked-Production-Variant: blue\r\n"
        .into()
}

fn error(status: u16, code: &str) -> String {
    format!(
        "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\nx-amzn-errortype: {code}\r\n"
    )
}

/// The rows of the next request.
async fn request(stream: &mut TcpStream) -> Option<Vec<f64>> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        assert!(
            head.starts_with("POST /endpoints/press-model/invocations "),
            "{head}"
        );
        let head = head.to_ascii_lowercase();
        assert!(head.contains("content-type: text/csv"), "{head}");
        let length = head.split("content-length: ").nth(1)?;
        let length: usize = length.lines().next()?.trim().parse().ok()?;
        if body.len() >= length {
            return Some(body.lines().map(|line| line.parse().unwrap()).collect());
        }
    }
}
