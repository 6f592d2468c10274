//! SageMaker's container contract, held against the real process: started by `serve`, asked over HTTP, ended by SIGTERM.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod container;

use std::io::{Read, Write};
use std::time::Duration;

use container::{Container, models, sample};
use serde_json::{Value, json};
use tokio::time::Instant;

#[test]
fn a_ping_is_answered_within_two_seconds_of_the_start() {
    let start = Instant::now();
    let container = Container::start(&[]);
    let answer = container.get("/ping");
    assert_eq!(answer.status, 200);
    assert!(start.elapsed() < Duration::from_secs(2));
    // That it says where it listens is for people; where it does by default is for the network's owner.
    assert!(container.address.ip().is_loopback());
}

#[test]
fn it_listens_where_sagemaker_says() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let port = free.port().to_string();
    let container = Container::start_with(&[], &[("SAGEMAKER_BIND_TO_PORT", &port)]);
    assert_eq!(container.address.port(), free.port());
}

/// The committed sample's answers are scikit-learn's.
#[test]
fn answers_agree_with_python_in_every_content_type() {
    let container = Container::start(&[]);
    let (rows, expected) = sample();
    assert!(rows.len() >= 100);
    let lines = |row: &dyn Fn(&Vec<f64>) -> String| -> String {
        rows.iter().map(|values| row(values) + "\n").collect()
    };
    let csv = lines(&|values| {
        values
            .iter()
            .map(f64::to_string)
            .collect::<Vec<_>>()
            .join(",")
    });
    let json_lines = lines(&|values| json!({"features": values}).to_string());
    let instances: Vec<Value> = rows
        .iter()
        .map(|values| json!({"features": values}))
        .collect();
    let whole = json!({ "instances": instances }).to_string();

    let numbers = |text: &str| -> Vec<f64> {
        text.split(',')
            .map(|field| field.parse().unwrap())
            .collect()
    };
    let named = |value: &Value| -> Vec<f64> {
        let values = value["probabilities"].as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).collect()
    };
    type Read<'r> = &'r dyn Fn(&str) -> Vec<Vec<f64>>;
    let cases: [(&str, &str, Read<'_>); 3] = [
        ("text/csv", &csv, &|text| {
            text.lines().map(numbers).collect()
        }),
        ("application/jsonlines", &json_lines, &|text| {
            text.lines()
                .map(|line| named(&serde_json::from_str(line).unwrap()))
                .collect()
        }),
        ("application/json", &whole, &|text| {
            let answer: Value = serde_json::from_str(text).unwrap();
            answer["predictions"]
                .as_array()
                .unwrap()
                .iter()
                .map(named)
                .collect()
        }),
    ];
    for (content_type, body, read) in cases {
        let answer = container.post("/invocations", content_type, body.as_bytes());
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (200, content_type)
        );
        let found = read(&answer.text());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }
}

#[test]
fn an_answer_is_of_the_type_that_is_accepted() {
    let container = Container::start(&[]);
    let answer = container.request(
        "POST",
        "/invocations",
        &[("Content-Type", "text/csv"), ("Accept", "application/json")],
        b"40,100,18,10,1,0,0",
    );
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_answered_is_told_why() {
    let container = Container::start(&["--max-body-mb", "1"]);
    let long = "1,".repeat(600_000);
    let sound = "40,100,18,10,1,0,0";
    for (method, path, content_type, accept, body, status, message) in [
        (
            "POST",
            "/invocations",
            "text/plain",
            "*/*",
            sound,
            415,
            "`text/plain`",
        ),
        (
            "POST",
            "/invocations",
            "",
            "*/*",
            sound,
            415,
            "requests are",
        ),
        (
            "POST",
            "/invocations",
            "text/csv",
            "image/png",
            sound,
            406,
            "`image/png`",
        ),
        (
            "POST",
            "/invocations",
            "text/csv",
            "*/*",
            "",
            400,
            "no rows",
        ),
        (
            "POST",
            "/invocations",
            "text/csv",
            "*/*",
            "40,100,18,10,1,0,0\n40,x,18,10,1,0,0",
            400,
            "row 2, column 2: `x` is no finite number",
        ),
        (
            "POST",
            "/invocations",
            "text/csv",
            "*/*",
            "1,2",
            400,
            "row 1 has 2 values, the model takes 7",
        ),
        (
            "POST",
            "/invocations",
            "application/json",
            "*/*",
            "{",
            400,
            "no JSON",
        ),
        (
            "POST",
            "/invocations",
            "text/csv",
            "*/*",
            &long,
            413,
            "more than 1048576 bytes",
        ),
        ("GET", "/invocations", "", "*/*", "", 405, "takes POST"),
        ("POST", "/ping", "text/csv", "*/*", sound, 405, "takes GET"),
        (
            "GET",
            "/endpoints/any/invocations",
            "",
            "*/*",
            "",
            404,
            "no such path",
        ),
    ] {
        let headers = [("Content-Type", content_type), ("Accept", accept)];
        let answer = container.request(method, path, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{method} {path} {content_type}");
        let said = answer.json()["error"]["message"].to_string();
        assert!(said.contains(message), "{said}");
    }
    let answer = container.post("/invocations", "text/csv", b"1,2,3,4,5,6,7\n1,2,3,4,5,6,");
    let error = &answer.json()["error"];
    assert_eq!((&error["row"], &error["column"]), (&json!(2), &json!(7)));
    // It is as well as before.
    let answer = container.post("/invocations", "text/csv", sound.as_bytes());
    assert_eq!(answer.status, 200);
}

#[test]
fn a_transform_job_is_told_what_it_may_send() {
    let container = Container::start(&["--max-body-mb", "20"]);
    let parameters = container.get("/execution-parameters").json();
    assert_eq!(parameters["MaxPayloadInMB"], 20);
    assert_eq!(parameters["BatchStrategy"], "MULTI_RECORD");
    assert!(parameters["MaxConcurrentTransforms"].as_u64().unwrap() >= 1);
}

#[test]
fn invocations_and_rows_are_counted() {
    let container = Container::start(&[]);
    container.post(
        "/invocations",
        "text/csv",
        b"40,100,18,10,1,0,0\n41,100,18,10,1,0,0",
    );
    container.post("/invocations", "text/csv", b"x");
    let text = container.get("/metrics").text();
    for line in [
        "invocations_total{status=\"200\"} 1",
        "invocations_total{status=\"400\"} 1",
        "invocations_in_flight 0",
        "rows_total 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

#[test]
fn as_an_endpoint_it_answers_like_sagemaker_in_front_of_it() {
    let container = Container::start(&["--endpoint"]);
    let path = "/endpoints/bearing-wear/invocations";
    let answer = container.post(path, "text/csv", b"40,100,18,10,1,0,0");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("x-amzn-invoked-production-variant: AllTraffic")
    );
    let answer = container.post(path, "text/csv", b"40");
    assert_eq!(answer.status, 424);
    assert!(answer.head.contains("x-amzn-errortype: ModelError"));
    assert_eq!(answer.json()["OriginalStatusCode"], 400);
}

/// A request whose body is still on its way when the server is asked to end gets its answer; a new one finds nobody.
fn assert_ends_in_good_order(mut container: Container, ask: impl FnOnce(&mut Container)) {
    let mut slow = std::net::TcpStream::connect(container.address).unwrap();
    let body = b"40,100,18,10,1,0,0\n";
    let head = format!(
        "POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(&body[..5]).unwrap();
    container.until("invocations_in_flight 1");
    ask(&mut container);
    container.until_closed();
    slow.write_all(&body[5..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(container.exit_status().success());
}

#[test]
fn sigterm_lets_what_is_under_way_finish() {
    assert_ends_in_good_order(Container::start(&[]), |container| container.terminate());
}

/// Whoever holds the other end of the pipe may end in any way.
#[test]
fn the_end_of_standard_input_does_so_where_that_is_asked_for() {
    assert_ends_in_good_order(Container::start_held(), Container::end_stdin);
}

/// Bodies wait in memory for a processor; more of them than it has places for are sent away, and pings go on.
#[test]
fn more_invocations_than_it_has_places_for_are_told_to_come_again() {
    let container = Container::start(&["--max-in-flight", "3"]);
    let sound = b"40,100,18,10,1,0,0";
    let under_way: Vec<_> = (0..3)
        .map(|_| {
            let mut slow = std::net::TcpStream::connect(container.address).unwrap();
            let head = "POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Length: 19\r\n\r\n40,";
            slow.write_all(head.as_bytes()).unwrap();
            slow
        })
        .collect();
    container.until("invocations_in_flight 3");
    // However large it is, it is taken before it is refused: a caller that is still sending would not see the answer.
    for body in [&sound[..], &b"1".repeat(4 << 20)] {
        let answer = container.post("/invocations", "text/csv", body);
        assert_eq!(answer.status, 429);
        assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
        assert_eq!(answer.json()["error"]["code"], "busy");
    }
    assert_eq!(container.get("/ping").status, 200);
    drop(under_way);
    container.until("invocations_in_flight 0");
    let answer = container.post("/invocations", "text/csv", sound);
    assert_eq!(answer.status, 200);
}

#[test]
fn an_idle_connection_does_not_keep_it_from_ending() {
    let mut container = Container::start(&[]);
    let _idle = std::net::TcpStream::connect(container.address).unwrap();
    container.get("/ping");
    container.terminate();
    assert!(container.exit_status().success());
}

#[test]
fn without_a_model_it_does_not_start_and_says_why() {
    let empty = tempfile::tempdir().unwrap();
    let several = tempfile::tempdir().unwrap();
    for name in ["a.onnx", "b.onnx"] {
        std::fs::copy(
            models().join("bearing-wear.onnx"),
            several.path().join(name),
        )
        .unwrap();
    }
    let broken = tempfile::tempdir().unwrap();
    std::fs::write(broken.path().join("model.onnx"), b"no model").unwrap();
    for (dir, why) in [
        (empty.path(), "has 0 ONNX files"),
        (several.path(), "has 2 ONNX files"),
        (broken.path(), "cannot be run"),
    ] {
        let (status, log) = container::start_failing(dir);
        assert!(!status.success());
        assert!(log.contains(why), "{log}");
    }
}
