//! What asking costs a row: the caller's own time, the server's, the model runtime's, and a Python handler's with boto3
//! against the same server. One event, one call, of 1, 10, 100 and 1,000 readings, from the event's bytes to the events' bytes;
//! what is published goes nowhere.
//!
//! The server is a process of its own: this binary once more. Its own counters tell its time, and the processor time of the
//! asking process what asking costs: on the clock, both would also pay for the system's waking one process after the other.
//! Caller and handler take turns; the fastest of some rounds counts. Before anything is timed both have to give the same scores. Without a `python3` that
//! has boto3 (`requirements.txt` beside this) its rows are left out.
//!
//! `cargo bench -p sagemaker-caller --bench ask`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run fails")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::{BehaviorVersion, Region};
use clap::Parser;
use control_plan::ControlPlan;
use function_ports::{Entry, Outbox, PortError};
use kinesis_batch::Batch;
use kinesis_batch::envelope::{Event, Record};
use lambda_function::CallLimits;
use lambda_function::clock::FixedClock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use model_server::{Arguments, serve};
use quality_event::{Finding, QualityEvent};
use rustix::time::{ClockId, clock_gettime};
use sagemaker_caller::config::{Policy, Target, WhenOpen};
use sagemaker_caller::{Breaker, Ports, SageMakerEndpoint, handle};
use serde::Deserialize;
use tokio::time::Instant;

/// As in the function.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const PLAN: &str = include_str!("../../../../infra/plans/press-line.yaml");
const ARRIVED_MS: i64 = 1_795_136_523_000;

/// Of each size: readings in an event, and events in a round.
const SIZES: [(usize, usize); 4] = [(1, 1_000), (10, 600), (100, 200), (1_000, 40)];
const ROUNDS: usize = 5;

/// Takes everything, call by call, and keeps one batch's for a look.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Vec<u8>>>>);

impl Outbox for Sink {
    async fn put(&self, entries: &[&Entry]) -> Result<Vec<usize>, PortError> {
        let mut kept = self.0.lock().unwrap();
        kept.extend(entries.iter().map(|entry| entry.json.clone()));
        Ok(Vec::new())
    }
}

/// The server's counters, in seconds.
#[derive(Clone, Copy, Default)]
struct Counters {
    server: f64,
    model: f64,
}

/// A process that ends with the benchmark.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["serve", "--endpoint", "--model-dir"])
            .arg(format!("{ROOT}/infra/model"))
            .args(["--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, address };
        while server.get("/ping").is_none() {}
        server
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn counters(&self) -> Counters {
        let text = self.get("/metrics").unwrap();
        let value = |name: &str| -> f64 {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap().parse().unwrap()
        };
        Counters {
            server: value("invocation_seconds_total"),
            model: value("model_seconds_total"),
        }
    }
}

struct Caller {
    plan: ControlPlan,
    policy: Policy,
    ports: Ports<SageMakerEndpoint, Sink, FixedClock>,
    sink: Sink,
}

impl Caller {
    fn new(server: &Server) -> Self {
        let config = aws_sdk_sagemakerruntime::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "bench"))
            .endpoint_url(format!("http://{}", server.address))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build();
        let target = Target {
            endpoint: "bench".into(),
            model: None,
            variant: None,
            component: None,
        };
        let policy = Policy {
            limits: CallLimits {
                entries: 1_000,
                bytes: 4_500_000,
            },
            concurrent_calls: 1,
            call_timeout: Duration::from_secs(10),
            attempts: 1,
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(30),
            when_open: WhenOpen::Hold,
            max_age: Duration::from_secs(900),
        };
        let client = aws_sdk_sagemakerruntime::Client::from_conf(config);
        let sink = Sink::default();
        let (metrics, _) = Metrics::captured();
        Self {
            plan: ControlPlan::parse("press-line.yaml", PLAN).unwrap(),
            policy,
            ports: Ports {
                endpoint: SageMakerEndpoint::new(client, target),
                outbox: sink.clone(),
                clock: FixedClock::at(ARRIVED_MS + 250),
                breaker: Mutex::new(Breaker::new(5, Duration::from_secs(30))),
                metrics,
            },
            sink,
        }
    }

    async fn handle(&self, body: &[u8]) {
        self.sink.0.lock().unwrap().clear();
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        let outcomes = handle(&self.plan, &self.policy, &self.ports, &batch, deadline).await;
        assert_eq!(outcomes.unfinished(), 0);
        std::hint::black_box(outcomes.response());
    }

    fn scores(&self) -> Vec<f64> {
        let events = self.sink.0.lock().unwrap();
        let scores = events.iter().map(|json| {
            let event = QualityEvent::from_json(json).unwrap();
            match event.finding {
                Finding::Prediction(prediction) => prediction.score.unwrap(),
                Finding::Violation(_) => f64::NAN,
            }
        });
        scores.collect()
    }
}

/// What the handler in Python says.
#[derive(Default, Deserialize)]
struct Told {
    seconds: f64,
    processor_seconds: f64,
    scores: Vec<f64>,
}

/// The processor time of this process.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn python(server: &Server, event: &[u8], passes: usize) -> Option<Told> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ask/handler.py");
    let mut child = Command::new("python3")
        .args([
            script,
            &format!("http://{}", server.address),
            &passes.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(event).ok()?;
    let output = child.wait_with_output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// Whole readings of the recorded shift.
fn event(count: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(format!("{ROOT}/events/readings/shift.ndjson")).unwrap();
    let plan = ControlPlan::parse("press-line.yaml", PLAN).unwrap();
    let whole = |line: &&str| {
        let reading = plan.read(line.as_bytes());
        reading.is_ok_and(|reading| {
            plan.features(plan.model().unwrap(), &reading, &mut Vec::new())
                .is_ok()
        })
    };
    let mut event = Event::new();
    for (number, line) in text.lines().filter(whole).take(count).enumerate() {
        event.push(&Record {
            source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
            region: "eu-central-1",
            role_arn: "arn:aws:iam::123456789012:role/sagemaker-caller",
            shard: "shardId-000000000000",
            sequence_number: &format!(
                "4959033827149025660855969253836157109592157598913658{number:04}"
            ),
            partition_key: "press-01",
            data: line.as_bytes(),
            arrived_ms: ARRIVED_MS,
        });
    }
    event.finish()
}

/// Seconds a row: on the clock, of the process's own processor time, in the server, in the model's runtime.
#[derive(Clone, Copy)]
struct Cost {
    all: f64,
    own: f64,
    server: f64,
    model: f64,
}

impl Cost {
    fn of(told: &Told, before: Counters, after: Counters, passes: usize, rows: usize) -> Self {
        let each = |seconds: f64| seconds / (passes * rows) as f64;
        Self {
            all: each(told.seconds),
            own: each(told.processor_seconds),
            server: each(after.server - before.server),
            model: each(after.model - before.model),
        }
    }

    /// Each figure's least.
    fn best(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            all: self.all.min(other.all),
            own: self.own.min(other.own),
            server: self.server.min(other.server),
            model: self.model.min(other.model),
        })
    }

    fn line(self, name: &str, rows: usize) -> String {
        let us = |seconds: f64| seconds * 1e6;
        format!(
            "{rows:>5} {name:<8} {:>9.0} rows/s {:>9.2} µs a row: {:>8.2} own {:>8.2} server {:>8.3} model ({:.0} % of the server's)",
            1.0 / self.all,
            us(self.all),
            us(self.own),
            us(self.server),
            us(self.model),
            100.0 * self.model / self.server,
        )
    }
}

fn main() {
    // The server, in a process of its own.
    if std::env::args().nth(1).as_deref() == Some("serve") {
        serve(&Arguments::parse()).unwrap();
        return;
    }
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(compare(is_bench));
}

async fn compare(is_bench: bool) {
    let server = Server::start();
    let caller = Caller::new(&server);
    // As a test, once is enough.
    let rounds = if is_bench { ROUNDS } else { 1 };
    let mut ratios = Vec::new();
    for (rows, passes) in SIZES {
        let passes = if is_bench { passes } else { 1 };
        let event = event(rows);
        caller.handle(&event).await;
        let scores = caller.scores();
        assert_eq!(scores.len(), rows);
        let (mut ours, mut theirs): (Option<Cost>, Option<Cost>) = (None, None);
        for _ in 0..rounds {
            let before = server.counters();
            let (began, processor) = (Instant::now(), processor_seconds());
            for _ in 0..passes {
                caller.handle(&event).await;
            }
            let told = Told {
                processor_seconds: processor_seconds() - processor,
                seconds: began.elapsed().as_secs_f64(),
                scores: Vec::new(),
            };
            let cost = Cost::of(&told, before, server.counters(), passes, rows);
            ours = Some(cost.best(ours));

            let before = server.counters();
            let Some(told) = python(&server, &event, passes) else {
                continue;
            };
            let after = server.counters();
            // The first pass is not timed, and the server counts it.
            let share = passes as f64 / (passes + 1) as f64;
            let after = Counters {
                server: before.server + (after.server - before.server) * share,
                model: before.model + (after.model - before.model) * share,
            };
            let apart = scores.iter().zip(&told.scores).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f64::max) < 1e-9, "other scores");
            assert_eq!(told.scores.len(), rows);
            theirs = Some(Cost::of(&told, before, after, passes, rows).best(theirs));
        }
        let ours = ours.unwrap();
        println!("{}", ours.line("caller", rows));
        if let Some(theirs) = theirs {
            println!("{}", theirs.line("boto3", rows));
            ratios.push((rows, theirs.own / ours.own, theirs.all / ours.all));
        }
    }
    for (rows, own, all) in &ratios {
        println!(
            "{rows:>5} rows in a call: boto3's own processor time is {own:.1} times the caller's; on the clock, the server's time included, {all:.1} times"
        );
    }
    if ratios.is_empty() {
        println!(
            "no python3 with boto3: see functions/sagemaker-caller/benches/ask/requirements.txt"
        );
    }
}
