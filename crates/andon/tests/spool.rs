//! `andon produce --spool` as a gateway runs it: killed at any moment, the stream out of reach for a while.

#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// Kinesis's PutRecords over HTTP on loopback. Answers calls by their number: a stream that fails every tenth call and
/// rejects every fifth record of every fourth one.
#[derive(Clone, Default)]
struct Stream {
    accepted: Arc<Mutex<Vec<String>>>,
    arrived: Arc<Condvar>,
    calls: Arc<Mutex<usize>>,
    /// Whether answers are held back for now.
    held: Arc<Mutex<bool>>,
    released: Arc<Condvar>,
}

impl Stream {
    fn serve(&self, listener: TcpListener) {
        let stream = self.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let stream = stream.clone();
                std::thread::spawn(move || stream.converse(connection.unwrap()));
            }
        });
    }

    /// Until the other side hangs up.
    fn converse(&self, mut connection: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection.try_clone().ok()?);
        loop {
            let mut length = 0;
            loop {
                let mut header = String::new();
                if reader.read_line(&mut header).ok()? == 0 {
                    return None;
                }
                let header = header.trim_end().to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
                if header.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            self.wait_until_released();
            let (status, answer) = self.put_records(&serde_json::from_slice(&body).unwrap());
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            connection
                .write_all(format!("{head}{answer}").as_bytes())
                .ok()?;
        }
    }

    /// What is asked from now on is answered only after [`Self::release`], or after ten seconds.
    fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.released.notify_all();
    }

    fn wait_until_released(&self) {
        let held = self.held.lock().unwrap();
        let ten = Duration::from_secs(10);
        let waited = self.released.wait_timeout_while(held, ten, |held| *held);
        drop(waited.unwrap());
    }

    fn accepted(&self) -> MutexGuard<'_, Vec<String>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once so many records have arrived.
    fn wait_for(&self, records: usize) {
        let accepted = self.accepted();
        let few = |accepted: &mut Vec<String>| accepted.len() < records;
        let minute = Duration::from_secs(60);
        let (accepted, _) = self
            .arrived
            .wait_timeout_while(accepted, minute, few)
            .unwrap();
        assert!(accepted.len() >= records, "{}", accepted.len());
    }

    fn put_records(&self, request: &Value) -> (&'static str, String) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        if calls.is_multiple_of(10) {
            let error = json!({"__type": "InternalFailure", "message": "try again"});
            return ("500 Internal Server Error", error.to_string());
        }
        let mut accepted = self.accepted();
        let (mut failed, rejects) = (0, *calls % 4 == 1);
        let records = request["Records"].as_array().unwrap().iter().enumerate();
        let answers: Vec<Value> = records
            .map(|(index, record)| {
                if rejects && index % 5 == 4 {
                    failed += 1;
                    let code = "ProvisionedThroughputExceededException";
                    return json!({"ErrorCode": code, "ErrorMessage": "slow down"});
                }
                let data = record["Data"].as_str().unwrap();
                let data = base64_simd::STANDARD.decode_to_vec(data).unwrap();
                accepted.push(String::from_utf8(data).unwrap());
                json!({"SequenceNumber": accepted.len().to_string(), "ShardId": "shardId-000000000000"})
            })
            .collect();
        self.arrived.notify_all();
        let answer = json!({"FailedRecordCount": failed, "Records": answers});
        ("200 OK", answer.to_string())
    }
}

/// A running producer and both ends of its pipes.
struct Producer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Producer {
    fn start(spool: &Path, port: u16) -> Self {
        Self::start_with(spool, port, &[])
    }

    fn start_with(spool: &Path, port: u16, options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_andon"))
            .args([
                "produce",
                "--stream",
                "readings",
                "--acknowledge",
                "--strict-order",
            ])
            .args(["--endpoint-url", &format!("http://127.0.0.1:{port}")])
            .args(["--region", "eu-central-1", "--spool"])
            .arg(spool)
            .args(options)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (
            process.stdin.take().unwrap(),
            process.stdout.take().unwrap(),
        );
        Self {
            process,
            input,
            output: BufReader::new(output),
        }
    }

    fn send(&mut self, lines: &[String]) {
        for line in lines {
            writeln!(self.input, "{line}").unwrap();
        }
    }

    /// Reads acknowledgements until so many lines are safe.
    fn acknowledged(&mut self, at_least: usize) -> usize {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it has ended");
            let safe: usize = line.trim().parse().unwrap();
            if safe >= at_least {
                return safe;
            }
        }
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it ends by itself, with its input open.
    fn ended(mut self) -> i32 {
        self.process.wait().unwrap().code().unwrap()
    }

    fn finish(self) -> (i32, String) {
        let Self {
            mut process,
            input,
            mut output,
        } = self;
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        (process.wait().unwrap().code().unwrap(), rest)
    }
}

fn readings(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!(r#"{{"machine":"press-{}","n":{n}}}"#, n % 50))
        .collect()
}

#[test]
fn every_acknowledged_reading_arrives_whatever_ends_the_process() {
    let spool = tempfile::tempdir().unwrap();
    let readings = readings(3_000);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();

    // The network is down: connections are not even accepted yet, and the process is killed twice.
    let mut safe = 0;
    for upto in [700, 1_500] {
        let mut producer = Producer::start(spool.path(), port);
        producer.send(&readings[safe..upto]);
        safe += producer.acknowledged((upto - safe) / 2);
        producer.kill();
    }
    assert!(safe >= 900, "{safe}");

    // It is back, and bad; a process is killed once something has arrived.
    let stream = Stream::default();
    stream.serve(listener);
    let mut producer = Producer::start(spool.path(), port);
    producer.send(&readings[safe..2_000]);
    safe += producer.acknowledged(2_000 - safe);
    stream.wait_for(600);
    producer.kill();

    let mut producer = Producer::start(spool.path(), port);
    producer.send(&readings[safe..]);
    let (code, output) = producer.finish();
    assert_eq!(code, 0, "{output}");

    let accepted = stream.accepted().clone();
    let distinct: BTreeSet<&String> = accepted.iter().collect();
    assert_eq!(distinct.len(), readings.len());
    // The first arrivals of each machine's readings are in order, as far as one process sent them.
    let mut last = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for reading in accepted.iter().filter(|reading| seen.insert(*reading)) {
        let reading: Value = serde_json::from_str(reading).unwrap();
        let n = reading["n"].as_u64().unwrap();
        let before = last.insert(reading["machine"].to_string(), n);
        assert!(before < Some(n), "{before:?} {n}");
    }
    let left = std::fs::read_dir(spool.path()).unwrap();
    let left: BTreeSet<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock", "position"].map(Into::into).into());
}

#[test]
fn where_the_readings_end_first_they_stay_in_the_spool() {
    let spool = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let readings = readings(20);
    let mut producer = Producer::start(spool.path(), port);
    producer.send(&readings);
    assert_eq!(producer.acknowledged(20), 20);
    assert_eq!(producer.finish().0, 1);

    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let stream = Stream::default();
    stream.serve(listener);
    // The largest limit that can be written: what is shipped gives room back to it.
    let limit = ["--spool-bytes", &u64::MAX.to_string()];
    let producer = Producer::start_with(spool.path(), port, &limit);
    assert_eq!(producer.finish().0, 0);
    let accepted: BTreeSet<String> = stream.accepted().iter().cloned().collect();
    assert_eq!(accepted, readings.into_iter().collect());
}

/// The readings have ended and are safe, and the stream has not answered yet: another process would ship them too, and
/// delete what is still being read.
#[test]
fn a_spool_belongs_to_its_process_until_everything_is_shipped() {
    let spool = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = Stream::default();
    stream.hold();
    stream.serve(listener);
    let readings = readings(20);
    let mut first = Producer::start(spool.path(), port);
    first.send(&readings);
    assert_eq!(first.acknowledged(20), 20);
    let Producer {
        mut process,
        input,
        output: _output,
    } = first;
    drop(input);

    let second = Producer::start(spool.path(), port);
    assert_eq!(second.finish().0, 2);
    stream.release();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let accepted: BTreeSet<String> = stream.accepted().iter().cloned().collect();
    assert_eq!(accepted, readings.into_iter().collect());
    assert_eq!(Producer::start(spool.path(), port).finish().0, 0);
}

#[test]
fn a_line_that_fits_no_record_is_set_apart() {
    let spool = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = Stream::default();
    stream.serve(listener);
    let mut producer = Producer::start(spool.path(), port);
    let large = "x".repeat(1024 * 1024);
    producer.send(&["before".to_owned(), large.clone(), "after".to_owned()]);
    assert_eq!(producer.finish().0, 1);
    assert_eq!(*stream.accepted(), ["before", "after"]);
    let apart = std::fs::read_to_string(spool.path().join("too-large.ndjson")).unwrap();
    assert_eq!(apart, format!("{large}\n"));
}

/// A gateway's pipe stays open for ever: a spool that cannot go on must not wait for its end.
#[test]
fn a_spool_that_fails_ends_the_producer_at_once() {
    let spool = tempfile::tempdir().unwrap();
    std::fs::create_dir(spool.path().join("position")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = Stream::default();
    stream.serve(listener);
    let mut producer = Producer::start(spool.path(), port);
    producer.send(&readings(3));
    stream.wait_for(3);
    assert_eq!(producer.ended(), 1);
}
