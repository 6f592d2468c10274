//! The function under test: does what its payload says.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use lambda_function::config::{Environment, ProcessEnvironment, Reader};
use lambda_function::metrics::{Metric, Metrics};
use lambda_function::{Invocation, Settings, serve, telemetry};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PRINTED: Metric = Metric::count("Printed", &[], "invocations that printed");

#[derive(Debug)]
struct Unfit(std::io::Error);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot use this")
    }
}

impl std::error::Error for Unfit {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) async fn run() -> ExitCode {
    telemetry::init(&ProcessEnvironment);
    println!("started");
    match ProcessEnvironment.get("START").as_deref() {
        Some("exit") => {
            eprintln!("cannot start");
            return ExitCode::FAILURE;
        }
        Some("hang") => std::future::pending::<()>().await,
        Some("init-error") => {
            report_init_error().await;
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    let mut vars = Reader::new(&ProcessEnvironment);
    let settings = Settings::read(&mut vars);
    let settings = vars.finish(|| settings).unwrap();
    let metrics = Metrics::to_stdout(&settings);
    let count = AtomicU64::new(0);
    let served = serve(&settings, &metrics, async |invocation| {
        let count = count.fetch_add(1, Ordering::Relaxed) + 1;
        handle(&metrics, count, invocation).await
    })
    .await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn handle(metrics: &Metrics, count: u64, invocation: Invocation) -> Result<Value, Unfit> {
    let event: Value = serde_json::from_slice(&invocation.body).unwrap();
    Ok(match event["do"].as_str().unwrap() {
        "echo" => event,
        "count" => json!(count),
        "length" => json!(invocation.body.len()),
        "fail" => return Err(Unfit(std::io::Error::other("because of that"))),
        "panic" => panic!("on purpose"),
        "exit" => std::process::exit(3),
        "hang" => {
            println!("hanging");
            std::future::pending().await
        }
        "answer-too-much" => json!("x".repeat(6_291_556)),
        "environment" => variables(),
        "context" => json!({
            "request_id": invocation.request_id,
            "function_arn": invocation.function_arn,
            "remaining_ms": invocation.deadline.remaining().as_millis(),
        }),
        "print" => {
            println!("to standard output");
            eprintln!("to standard error");
            std::io::stdout().write_all(b"not UTF-8: \xff\n").unwrap();
            tracing::info!("batch done");
            metrics.add(&PRINTED, &[], 1);
            json!(null)
        }
        other => panic!("no such command: {other}"),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment itself is under test"
)]
fn variables() -> Value {
    let variables = std::env::vars().map(|(name, value)| (name, Value::from(value)));
    Value::Object(variables.collect())
}

/// What a runtime does whose start fails; the Rust one has no call for it.
async fn report_init_error() {
    let api = ProcessEnvironment.get("AWS_LAMBDA_RUNTIME_API").unwrap();
    let body = json!({"errorType": "Config.Missing", "errorMessage": "STATE_TABLE is not set"})
        .to_string();
    let mut connection = tokio::net::TcpStream::connect(&api).await.unwrap();
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
         Lambda-Runtime-Function-Error-Type: Runtime.ConfigMissing\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}
