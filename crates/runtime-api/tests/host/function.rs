//! The function under test: does what its payload says.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
        Some("slowly") => start_slowly().await,
        Some("in-a-shell") => start_in_a_shell(),
        Some("init-error") => {
            report_init_error().await;
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    let _watched = watched().await;
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
        "leave" => {
            leave_a_child_behind();
            json!(null)
        }
        other => panic!("no such command: {other}"),
    })
}

/// The host's first process does not come up, a later one takes its time.
async fn start_slowly() {
    let log_stream = ProcessEnvironment.get("AWS_LAMBDA_LOG_STREAM_NAME");
    let first = format!("{:032x}", 1);
    if log_stream.unwrap().ends_with(&first) {
        println!("hanging");
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Becomes what a `bootstrap` is that is a script: a shell that starts the program and waits for it.
fn start_in_a_shell() {
    let fault = Command::new("sh")
        .args(["-c", "\"$0\"; exit $?"])
        .arg(std::env::current_exe().unwrap())
        .env_remove("START")
        .exec();
    panic!("{fault}");
}

/// A connection that ends with this process, for whoever listens for that.
async fn watched() -> Option<tokio::net::TcpStream> {
    let watch = ProcessEnvironment.get("WATCH")?;
    Some(tokio::net::TcpStream::connect(watch).await.unwrap())
}

/// In a group of its own, with this process's standard output, which it writes to until nobody reads it.
fn leave_a_child_behind() {
    tokio::process::Command::new("sh")
        .args(["-c", "while echo 'still here'; do sleep 0.05; done"])
        .stderr(std::process::Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
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
