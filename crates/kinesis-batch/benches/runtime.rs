//! One full invocation (6.28 MB, 7,506 records of 222 bytes) from end to end: through the Lambda Runtime API on loopback
//! into a process of its own, every reading read, and the answer back. Ours takes the raw body and decodes it with this
//! crate; the other functions are what `lambda_runtime` and `aws_lambda_events` give, with the readings read into the same
//! type or as a `Value`. This binary is the host and the functions.
//!
//! The functions take turns, so that whatever else the machine does hits all alike; the shortest times are compared.
//!
//! `cargo bench -p kinesis-batch --bench runtime`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has to say why"
)]

#[path = "event/mod.rs"]
mod event;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::kinesis::KinesisEvent;
use bytes::Bytes;
use kinesis_batch::{Batch, BatchError};
use lambda_function::config::{Environment, ProcessEnvironment, Reader};
use lambda_function::metrics::Metrics;
use lambda_function::{Error, Invocation, Settings, serve};
use lambda_runtime::{LambdaEvent, service_fn};
use runtime_api::{FunctionHost, FunctionSpec, LogLine};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Invocations of each function, after some that warm it up.
const ROUNDS: usize = 60;
const WARM_UP: usize = 5;

/// Which function a process is.
const FUNCTION: &str = "AWS_LAMBDA_FUNCTION_NAME";
const OURS: &str = "lambda-function and kinesis-batch";
const TYPED: &str = "lambda_runtime and aws_lambda_events, typed readings";
const UNTYPED: &str = "lambda_runtime and aws_lambda_events, readings as Value";

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match ProcessEnvironment.get("AWS_LAMBDA_RUNTIME_API") {
        Some(_) => runtime.block_on(function()),
        None => runtime.block_on(compare()),
    }
}

/// What a function answers: that of one event is the same whoever read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Value>,
    readings: usize,
    torque: f64,
}

#[derive(Deserialize)]
struct Reading<'a> {
    #[serde(borrow)]
    machine: std::borrow::Cow<'a, str>,
    measurements: Measurements,
}

#[derive(Deserialize)]
struct Measurements {
    torque: f64,
}

impl Answer {
    fn add(&mut self, machine: &str, torque: f64) {
        self.readings += usize::from(!machine.is_empty());
        self.torque += torque;
    }

    fn add_typed(&mut self, data: &[u8]) -> Result<(), serde_json::Error> {
        let reading: Reading<'_> = serde_json::from_slice(data)?;
        self.add(&reading.machine, reading.measurements.torque);
        Ok(())
    }

    fn add_untyped(&mut self, data: &[u8]) -> Result<(), serde_json::Error> {
        let reading: Value = serde_json::from_slice(data)?;
        self.add(
            reading["machine"].as_str().unwrap_or_default(),
            reading["measurements"]["torque"]
                .as_f64()
                .unwrap_or_default(),
        );
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("no event")]
    Event(#[from] BatchError),
    #[error("no reading")]
    Reading(#[from] serde_json::Error),
}

async fn function() -> Result<(), Error> {
    let add: fn(&mut Answer, &[u8]) -> _ = match ProcessEnvironment.get(FUNCTION).as_deref() {
        Some(TYPED) => Answer::add_typed,
        Some(UNTYPED) => Answer::add_untyped,
        _ => return ours().await,
    };
    let handler = service_fn(async |event: LambdaEvent<KinesisEvent>| {
        let mut answer = Answer::default();
        for record in &event.payload.records {
            add(&mut answer, &record.kinesis.data.0)?;
        }
        Ok::<_, Error>(answer)
    });
    lambda_runtime::run(handler).await
}

async fn ours() -> Result<(), Error> {
    let mut vars = Reader::new(&ProcessEnvironment);
    let settings = Settings::read(&mut vars);
    let settings = vars.finish(|| settings)?;
    let metrics = Metrics::to_stdout(&settings);
    serve(&settings, &metrics, async |invocation: Invocation| {
        let mut buffer = Vec::new();
        let batch = Batch::decode(&invocation.body, &mut buffer)?;
        let mut answer = Answer::default();
        for record in batch.user_records() {
            answer.add_typed(record.data)?;
        }
        Ok::<_, Unreadable>(answer)
    })
    .await
}

async fn compare() -> Result<(), Error> {
    let event = Bytes::from(event::plain());
    println!("event: {} bytes, {} records", event.len(), event::RECORDS);
    let hosts = [OURS, TYPED, UNTYPED].map(host);
    let mut times = [const { Vec::new() }; 3];
    let mut answers = Vec::new();
    // As a test, once is enough.
    let rounds = match std::env::args().any(|argument| argument == "--bench") {
        true => ROUNDS,
        false => 1,
    };
    for round in 0..WARM_UP + rounds {
        for (host, times) in hosts.iter().zip(&mut times) {
            let invocation = host.invoke(event.clone()).await?;
            let answer = invocation
                .outcome
                .answer()
                .ok_or_else(|| format!("{}: {}", host.spec().name, invocation.outcome))?;
            answers.push(serde_json::from_slice::<Answer>(answer)?);
            if round >= WARM_UP {
                times.push(invocation.duration);
            }
        }
    }
    assert_eq!(answers[0].readings, event::RECORDS);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let shortest = |times: &[Duration]| times.iter().min().copied().unwrap_or_default();
    let ours = shortest(&times[0]).as_secs_f64();
    for (host, times) in hosts.iter().zip(&mut times) {
        times.sort();
        let least = shortest(times).as_secs_f64();
        println!(
            "{:55} least {:5.1} ms, median {:5.1} ms, {:.2} times ours",
            host.spec().name,
            least * 1e3,
            times[times.len() / 2].as_secs_f64() * 1e3,
            least / ours,
        );
    }
    for host in &hosts {
        host.stop().await;
    }
    Ok(())
}

fn host(name: &str) -> FunctionHost {
    let spec = FunctionSpec {
        name: name.to_owned(),
        binary: PathBuf::from(std::env::args_os().next().expect("a program has a name")),
        environment: [("AWS_LAMBDA_LOG_LEVEL".to_owned(), "WARN".to_owned())].into(),
        time_out: Duration::from_secs(60),
        memory_mb: 512,
        function_arn: "arn:aws:lambda:us-east-2:123456789012:function:benchmark".to_owned(),
        max_environments: 1,
    };
    let log = |line: LogLine<'_>| {
        if !line.text.starts_with('{') {
            eprintln!("{}", line.text);
        }
    };
    FunctionHost::start(spec, Arc::new(log)).expect("this very program")
}
