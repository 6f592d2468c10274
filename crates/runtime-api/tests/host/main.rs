//! The host against a real function: this binary is both. Started with a Runtime API it is the function,
//! else it runs the tests.

#![expect(
    clippy::unwrap_used,
    reason = "tests, though not marked as such one by one"
)]

mod function;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_function::config::{Environment, ProcessEnvironment};
use libtest_mimic::{Arguments, Trial};
use runtime_api::{
    FunctionHost, FunctionSpec, InvokeError, LogLine, LogStream, MAX_PAYLOAD_BYTES, Outcome,
    StartError,
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:function-under-test";
/// Far more than any of these invocations takes.
const LONG: Duration = Duration::from_secs(60);
/// What the invocations wait for that are to time out.
const SHORT: Duration = Duration::from_millis(300);
/// What a process has to come up.
const INIT: Duration = Duration::from_secs(10);

macro_rules! trials {
    ($($name:ident),* $(,)?) => {
        vec![$(Trial::test(stringify!($name), || {
            runtime(false).block_on($name());
            Ok(())
        })),*]
    };
}

fn main() -> ExitCode {
    if ProcessEnvironment.get("AWS_LAMBDA_RUNTIME_API").is_some() {
        return runtime(false).block_on(function::run());
    }
    let mut trials = trials![
        an_answer_comes_back_as_it_was_given,
        an_error_is_told_with_its_type,
        a_panic_is_an_error_and_costs_no_process,
        an_invocation_that_hangs_times_out_and_its_process_is_gone,
        a_process_that_exits_is_a_crash_and_the_next_invocation_starts_anew,
        a_start_that_fails_is_reported,
        a_start_that_exits_is_a_crash,
        a_start_that_takes_too_long_is_repeated_as_a_part_of_the_invocation,
        one_process_serves_one_invocation_after_the_other,
        invocations_at_once_have_processes_of_their_own_up_to_the_limit,
        a_killed_process_crashes_its_invocation_alone,
        an_invocation_that_is_given_up_takes_its_process_along,
        a_process_that_dies_idle_is_replaced,
        a_busy_process_is_not_taken_for_an_idle_one,
        a_payload_beyond_the_limit_is_refused,
        an_answer_beyond_the_limit_is_an_error_and_the_process_lives_on,
        the_process_finds_what_lambda_sets_and_nothing_else,
        the_function_sees_the_invocation,
        lines_reach_the_sink_with_the_invocation_that_wrote_them,
        a_stopped_host_leaves_no_process_and_refuses_invocations,
        a_dropped_host_leaves_no_process,
        a_program_that_a_script_started_ends_with_it,
        a_process_that_has_left_its_group_is_heard_no_more,
        a_function_ends_when_its_host_is_gone,
        a_program_that_does_not_exist_is_refused_at_once,
    ];
    trials.push(Trial::test("a_start_that_hangs_times_out", || {
        runtime(true).block_on(a_start_that_hangs_times_out());
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn runtime(paused: bool) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(paused).build().unwrap()
}

/// A line that was written, owned.
#[derive(Debug)]
struct Line {
    environment: u64,
    stream: LogStream,
    request_id: Option<String>,
    text: String,
}

/// This binary as a function, hosted, with what it writes.
fn host_of(
    change: impl FnOnce(&mut FunctionSpec),
) -> (FunctionHost, mpsc::UnboundedReceiver<Line>) {
    let mut spec = FunctionSpec {
        name: "function-under-test".to_owned(),
        binary: std::env::current_exe().unwrap(),
        environment: BTreeMap::new(),
        time_out: LONG,
        memory_mb: 256,
        function_arn: ARN.to_owned(),
        max_environments: 1,
    };
    change(&mut spec);
    let (sender, lines) = mpsc::unbounded_channel();
    let sink = move |line: LogLine<'_>| {
        let _ = sender.send(Line {
            environment: line.environment,
            stream: line.stream,
            request_id: line.request_id.map(str::to_owned),
            text: line.text.to_owned(),
        });
    };
    (FunctionHost::start(spec, Arc::new(sink)).unwrap(), lines)
}

fn host() -> FunctionHost {
    host_of(|_| ()).0
}

async fn outcome(host: &FunctionHost, command: &str) -> Outcome {
    host.invoke(json!({"do": command}).to_string().into())
        .await
        .unwrap()
        .outcome
}

async fn answer(host: &FunctionHost, command: &str) -> Value {
    match outcome(host, command).await {
        Outcome::Answer(body) => serde_json::from_slice(&body).unwrap(),
        failed => panic!("{command}: {failed}"),
    }
}

#[track_caller]
fn assert_error(outcome: &Outcome, expected_type: &str, expected_message: &str) {
    let Outcome::FunctionError {
        error_type,
        message,
    } = outcome
    else {
        panic!("{outcome}")
    };
    assert!(error_type.contains(expected_type), "{error_type}");
    assert!(message.contains(expected_message), "{message}");
}

/// Waits for the line that a hanging invocation writes first.
async fn until_hanging(lines: &mut mpsc::UnboundedReceiver<Line>) -> Line {
    loop {
        let line = lines.recv().await.unwrap();
        if line.text == "hanging" {
            return line;
        }
    }
}

async fn an_answer_comes_back_as_it_was_given() {
    let host = host();
    let invocation = host
        .invoke(r#"{"do":"echo","text":"프레스-1"}"#.into())
        .await
        .unwrap();
    let body = invocation.outcome.answer().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(body).unwrap()["text"],
        "프레스-1"
    );
    assert!(invocation.cold && invocation.init_duration > Duration::ZERO);
    assert!(invocation.duration > Duration::ZERO);
}

async fn an_error_is_told_with_its_type() {
    let host = host();
    assert_error(
        &outcome(&host, "fail").await,
        "Unfit",
        "cannot use this: because of that",
    );
    assert_eq!(answer(&host, "count").await, 2, "the process lives on");
}

async fn a_panic_is_an_error_and_costs_no_process() {
    let host = host();
    assert_error(&outcome(&host, "panic").await, "", "on purpose");
    assert_eq!(answer(&host, "count").await, 2);
}

async fn an_invocation_that_hangs_times_out_and_its_process_is_gone() {
    let (host, _lines) = host_of(|spec| spec.time_out = SHORT);
    let invocation = host.invoke(r#"{"do":"hang"}"#.into()).await.unwrap();
    assert_eq!(invocation.outcome, Outcome::TimedOut);
    assert!(invocation.duration >= SHORT);
    assert_eq!(host.environments(), 0);
    assert_eq!(answer(&host, "count").await, 1, "a fresh process");
}

async fn a_process_that_exits_is_a_crash_and_the_next_invocation_starts_anew() {
    let host = host();
    let Outcome::Crashed { status } = outcome(&host, "exit").await else {
        panic!()
    };
    assert_eq!(status.code(), Some(3));
    let next = host.invoke(r#"{"do":"count"}"#.into()).await.unwrap();
    assert!(next.cold);
    assert_eq!(next.outcome, Outcome::Answer("1".into()));
}

async fn a_start_that_fails_is_reported() {
    let (host, _lines) = host_of(|spec| {
        spec.environment
            .insert("START".to_owned(), "init-error".to_owned());
    });
    assert_error(
        &outcome(&host, "echo").await,
        "Config.Missing",
        "STATE_TABLE is not set",
    );
    assert_eq!(host.environments(), 0);
}

async fn a_start_that_exits_is_a_crash() {
    let (host, mut lines) = host_of(|spec| {
        spec.environment
            .insert("START".to_owned(), "exit".to_owned());
    });
    let invocation = host.invoke(r#"{"do":"echo"}"#.into()).await.unwrap();
    let Outcome::Crashed { status } = invocation.outcome else {
        panic!()
    };
    assert_eq!((status.code(), invocation.cold), (Some(1), true));
    let cause =
        std::iter::from_fn(|| lines.try_recv().ok()).find(|line| line.text == "cannot start");
    assert_eq!(cause.unwrap().request_id, None);
}

async fn a_start_that_hangs_times_out() {
    let (host, _lines) = host_of(|spec| {
        spec.environment
            .insert("START".to_owned(), "hang".to_owned());
    });
    let invocation = host.invoke(r#"{"do":"echo"}"#.into()).await.unwrap();
    assert_eq!(invocation.outcome, Outcome::TimedOut);
    assert!(invocation.cold && invocation.init_duration >= INIT);
    assert!(invocation.duration >= LONG, "{:?}", invocation.duration);
    assert_eq!(host.environments(), 0);
}

/// Of the first start's seconds only the host is told: its clock jumps, the processes' does not.
async fn a_start_that_takes_too_long_is_repeated_as_a_part_of_the_invocation() {
    let (host, mut lines) = host_of(|spec| {
        spec.environment
            .insert("START".to_owned(), "slowly".to_owned());
    });
    let (invoked, ()) = tokio::join!(host.invoke(r#"{"do":"context"}"#.into()), async {
        until_hanging(&mut lines).await;
        tokio::time::pause();
        tokio::time::advance(INIT).await;
        tokio::time::resume();
    });
    let invocation = invoked.unwrap();
    assert!(invocation.cold && invocation.init_duration >= INIT);
    assert_eq!(host.environments(), 1);

    let second_start = Duration::from_millis(500);
    assert!(invocation.duration >= second_start);
    let Outcome::Answer(seen) = &invocation.outcome else {
        panic!("{}", invocation.outcome)
    };
    let seen: Value = serde_json::from_slice(seen).unwrap();
    assert_eq!(seen["request_id"], invocation.request_id);
    // A minute less the second start and the margin of two seconds.
    let remaining_ms = seen["remaining_ms"].as_u64().unwrap();
    assert!((50_000..=57_500).contains(&remaining_ms), "{remaining_ms}");

    let next = host.invoke(r#"{"do":"count"}"#.into()).await.unwrap();
    assert!(!next.cold);
    assert_eq!(next.outcome, Outcome::Answer("2".into()));
}

async fn one_process_serves_one_invocation_after_the_other() {
    let host = host();
    let mut request_ids = BTreeSet::new();
    for count in 1..=5 {
        let invocation = host.invoke(r#"{"do":"count"}"#.into()).await.unwrap();
        assert_eq!(
            invocation.outcome,
            Outcome::Answer(count.to_string().into())
        );
        assert_eq!(invocation.cold, count == 1);
        request_ids.insert(invocation.request_id);
    }
    assert_eq!((host.environments(), request_ids.len()), (1, 5));
}

async fn invocations_at_once_have_processes_of_their_own_up_to_the_limit() {
    let (host, mut lines) = host_of(|spec| spec.max_environments = 2);
    let (first, second, third, ()) = tokio::join!(
        outcome(&host, "hang"),
        outcome(&host, "hang"),
        outcome(&host, "echo"),
        async {
            let busy = [
                until_hanging(&mut lines).await,
                until_hanging(&mut lines).await,
            ];
            assert_ne!(busy[0].environment, busy[1].environment);
            assert_ne!(busy[0].request_id, busy[1].request_id);
            assert_eq!(host.environments(), 2);
            // The third waits until one of them is gone, and then has a process of its own.
            assert_eq!(host.kill_one(0), Some(1));
            while lines.recv().await.unwrap().environment != 3 {}
            assert_eq!(host.kill_one(0), Some(2));
        }
    );
    assert!(matches!(first, Outcome::Crashed { .. }), "{first}");
    assert!(matches!(second, Outcome::Crashed { .. }), "{second}");
    assert!(third.answer().is_some(), "{third}");
}

async fn a_killed_process_crashes_its_invocation_alone() {
    let (host, mut lines) = host_of(|spec| spec.max_environments = 2);
    assert_eq!(host.kill_one(7), None, "none lives yet");
    let (victim, survivor, ()) =
        tokio::join!(outcome(&host, "hang"), outcome(&host, "echo"), async {
            // The first of the living ones, in the order of their numbers.
            let hanging = until_hanging(&mut lines).await.environment;
            assert_eq!(host.kill_one(0), Some(hanging));
        });
    let Outcome::Crashed { status } = victim else {
        panic!("{victim}")
    };
    assert_eq!(status.code(), None, "ended by a signal");
    assert!(survivor.answer().is_some(), "{survivor}");
}

async fn an_invocation_that_is_given_up_takes_its_process_along() {
    let (host, mut lines) = host_of(|_| ());
    tokio::select! {
        ended = outcome(&host, "hang") => panic!("{ended}"),
        _ = until_hanging(&mut lines) => {}
    }
    assert_eq!(answer(&host, "count").await, 1, "a fresh process");
    assert_eq!(host.environments(), 1);
}

async fn a_process_that_dies_idle_is_replaced() {
    let host = host();
    answer(&host, "echo").await;
    assert_eq!(host.kill_one(41), Some(1));
    while host.environments() > 0 {
        tokio::task::yield_now().await;
    }
    let next = host.invoke(r#"{"do":"count"}"#.into()).await.unwrap();
    assert!(next.cold);
    assert!(next.outcome.answer().is_some(), "{}", next.outcome);
}

async fn a_busy_process_is_not_taken_for_an_idle_one() {
    let (host, mut lines) = host_of(|spec| spec.max_environments = 2);
    let (hanging, ()) = tokio::join!(outcome(&host, "hang"), async {
        until_hanging(&mut lines).await;
        assert_eq!(host.kill_idle(), None);
        answer(&host, "echo").await;
        assert_eq!(host.kill_idle(), Some(2));
        while host.environments() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(host.kill_idle(), None);
        assert_eq!(host.kill_one(0), Some(1));
    });
    assert!(matches!(hanging, Outcome::Crashed { .. }), "{hanging}");
}

async fn a_payload_beyond_the_limit_is_refused() {
    let host = host();
    let error = host
        .invoke(vec![b' '; MAX_PAYLOAD_BYTES + 1].into())
        .await
        .unwrap_err();
    assert!(
        matches!(error, InvokeError::PayloadTooLarge { bytes } if bytes == MAX_PAYLOAD_BYTES + 1)
    );
    let mut largest = br#"{"do":"length"}"#.to_vec();
    largest.resize(MAX_PAYLOAD_BYTES, b' ');
    let answered = host.invoke(largest.into()).await.unwrap().outcome;
    assert_eq!(
        answered,
        Outcome::Answer(MAX_PAYLOAD_BYTES.to_string().into())
    );
}

async fn an_answer_beyond_the_limit_is_an_error_and_the_process_lives_on() {
    let host = host();
    let too_large = outcome(&host, "answer-too-much").await;
    assert_error(&too_large, "Function.ResponseSizeTooLarge", "6291556 bytes");
    assert_eq!(answer(&host, "count").await, 2);
}

async fn the_process_finds_what_lambda_sets_and_nothing_else() {
    let (host, _lines) = host_of(|spec| {
        spec.environment
            .insert("STATE_TABLE".to_owned(), "andon-state".to_owned());
    });
    let variables = answer(&host, "environment").await;
    assert_eq!(variables["STATE_TABLE"], "andon-state");
    assert_eq!(variables["AWS_REGION"], "eu-central-1");
    assert_eq!(variables["TZ"], ":UTC");
    assert!(
        variables["_X_AMZN_TRACE_ID"]
            .as_str()
            .unwrap()
            .starts_with("Root=1-")
    );
    let inherited: Vec<&String> = variables
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.starts_with("CARGO") || name.starts_with("RUST"))
        .collect();
    assert_eq!(inherited, Vec::<&String>::new());
}

async fn the_function_sees_the_invocation() {
    let host = host();
    let invocation = host.invoke(r#"{"do":"context"}"#.into()).await.unwrap();
    let seen: Value = serde_json::from_slice(invocation.outcome.answer().unwrap()).unwrap();
    assert_eq!(seen["request_id"], invocation.request_id);
    assert_eq!(seen["function_arn"], ARN);
    // A minute less the margin of two seconds.
    let remaining_ms = seen["remaining_ms"].as_u64().unwrap();
    assert!((50_000..=58_000).contains(&remaining_ms), "{remaining_ms}");
}

async fn lines_reach_the_sink_with_the_invocation_that_wrote_them() {
    let (host, mut lines) = host_of(|_| ());
    let first = host.invoke(r#"{"do":"print"}"#.into()).await.unwrap();
    host.stop().await;
    let mut printed = Vec::new();
    while let Ok(line) = lines.try_recv() {
        printed.push((line.stream, line.text, line.request_id));
    }
    let of_first = Some(first.request_id.clone());
    let contains = |stream, text: &str| {
        printed
            .iter()
            .any(|line| line.0 == stream && line.1 == text && line.2 == of_first)
    };
    assert!(
        contains(LogStream::Stdout, "to standard output"),
        "{printed:?}"
    );
    assert!(
        contains(LogStream::Stderr, "to standard error"),
        "{printed:?}"
    );
    assert!(
        contains(LogStream::Stdout, "not UTF-8: \u{fffd}"),
        "{printed:?}"
    );

    let json_line = |field: &str| {
        printed
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(&line.1).ok())
            .find(|line| !line[field].is_null())
    };
    assert_eq!(
        json_line("span").unwrap()["span"]["requestId"],
        first.request_id
    );
    let metrics = json_line("_aws").unwrap();
    assert_eq!(
        (&metrics["function"], &metrics["Printed"]),
        (&json!("function-under-test"), &json!(1.0))
    );
}

async fn a_stopped_host_leaves_no_process_and_refuses_invocations() {
    let (host, mut lines) = host_of(|spec| spec.max_environments = 2);
    answer(&host, "echo").await;
    let (ended, ()) = tokio::join!(outcome(&host, "hang"), async {
        until_hanging(&mut lines).await;
        host.stop().await;
    });
    assert!(matches!(ended, Outcome::Crashed { .. }), "{ended}");
    assert_eq!(host.environments(), 0);
    assert!(matches!(
        host.invoke("{}".into()).await,
        Err(InvokeError::Stopped { .. })
    ));
}

async fn a_dropped_host_leaves_no_process() {
    let (host, mut lines) = host_of(|_| ());
    answer(&host, "echo").await;
    drop(host);
    // The lines end when the process has.
    while lines.recv().await.is_some() {}
}

/// This binary started by a shell script, and where it reports that it lives.
async fn host_of_script(
    time_out: Duration,
) -> (FunctionHost, mpsc::UnboundedReceiver<Line>, TcpListener) {
    let watch = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = watch.local_addr().unwrap().to_string();
    let (host, lines) = host_of(|spec| {
        spec.time_out = time_out;
        spec.environment = [
            ("START".to_owned(), "in-a-shell".to_owned()),
            ("WATCH".to_owned(), address),
        ]
        .into();
    });
    (host, lines, watch)
}

/// Waits for the end of the program's connection, which is the program's own.
async fn until_gone(watch: &TcpListener) {
    let (mut program, _) = watch.accept().await.unwrap();
    let end = tokio::time::timeout(INIT, program.read(&mut [0])).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "it lives on: {end:?}");
}

async fn a_program_that_a_script_started_ends_with_it() {
    let (host, _lines, watch) = host_of_script(SHORT).await;
    assert_eq!(outcome(&host, "hang").await, Outcome::TimedOut);
    until_gone(&watch).await;

    let (host, mut lines, watch) = host_of_script(LONG).await;
    let (ended, ()) = tokio::join!(outcome(&host, "hang"), async {
        until_hanging(&mut lines).await;
        host.stop().await;
    });
    assert!(matches!(ended, Outcome::Crashed { .. }), "{ended}");
    until_gone(&watch).await;

    let (host, mut lines, watch) = host_of_script(LONG).await;
    tokio::select! {
        ended = outcome(&host, "hang") => panic!("{ended}"),
        _ = until_hanging(&mut lines) => {}
    }
    drop(host);
    until_gone(&watch).await;
}

/// It holds an output open that was read to its end before.
async fn a_process_that_has_left_its_group_is_heard_no_more() {
    let (host, mut lines) = host_of(|_| ());
    answer(&host, "leave").await;
    host.stop().await;
    drop(host);
    // Once the sink is dropped.
    let rest = async { while lines.recv().await.is_some() {} };
    assert!(tokio::time::timeout(INIT, rest).await.is_ok());
}

/// A host that is killed cannot kill: its functions must notice by themselves that their API is gone.
async fn a_function_ends_when_its_host_is_gone() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut process = tokio::process::Command::new(std::env::current_exe().unwrap())
        .env(
            "AWS_LAMBDA_RUNTIME_API",
            listener.local_addr().unwrap().to_string(),
        )
        .env("AWS_LAMBDA_FUNCTION_NAME", "function-under-test")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (connection, _) = listener.accept().await.unwrap();
    drop((connection, listener));
    let status = tokio::time::timeout(LONG, process.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(!status.success());
}

async fn a_program_that_does_not_exist_is_refused_at_once() {
    let spec = |change: &dyn Fn(&mut FunctionSpec)| {
        let mut spec = host().spec().clone();
        change(&mut spec);
        FunctionHost::start(spec, Arc::new(|_: LogLine<'_>| ()))
            .err()
            .unwrap()
    };
    let missing = spec(&|spec| spec.binary = "/no/such/bootstrap".into());
    assert!(matches!(missing, StartError::NoProgram { .. }));
    assert_eq!(missing.to_string(), "no program at /no/such/bootstrap");
    assert!(matches!(
        spec(&|spec| spec.max_environments = 0),
        StartError::NoEnvironments
    ));

    let (no_program, _lines) = host_of(|spec| spec.binary = "/proc/self/cmdline".into());
    let error = no_program.invoke("{}".into()).await.unwrap_err();
    assert!(matches!(error, InvokeError::CannotStart { .. }), "{error}");
}
