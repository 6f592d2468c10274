//! The built tool, as a user or a script runs it: what goes to stdout, what to stderr, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn andon(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
    command
        .current_dir(root())
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    andon(arguments).output().unwrap()
}

#[track_caller]
fn check(arguments: &[&str], code: i32, stderr: &str) {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains(stderr), "{arguments:?}: {errors}");
}

fn events(output: Output) -> Vec<Value> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const PLAN: &str = "infra/plans/press-line.yaml";
const SHIFT: &str = "events/readings/shift.ndjson";

#[test]
fn usage_and_input_that_is_not_taken_end_with_2() {
    check(&[], 2, "Usage");
    check(&["simulate", "--scenario", "nonsense"], 2, "torque-drift");
    check(&["simulate", "--machines", "0"], 2, "1..=10000");
    check(&["simulate", "--rate", "0"], 2, "above 0");
    check(&["simulate", "--start", "yesterday"], 2, "--start");
    check(
        &[
            "simulate",
            "--start",
            "9999-12-30T22:00:00Z",
            "--rate",
            "0.001",
        ],
        2,
        "earlier --start",
    );
    check(
        &["simulate", "--readings", "1", "--truth", "no/such/truth"],
        2,
        "cannot write no/such/truth",
    );
    check(&["plan", "check"], 2, "FILE");
    check(
        &["plan", "check", "no/such.yaml"],
        2,
        "cannot read no/such.yaml",
    );
    check(
        &[
            "plan",
            "backtest",
            "--plan",
            PLAN,
            "--readings",
            "no/such.ndjson",
        ],
        2,
        "cannot read no/such.ndjson",
    );
    check(&["event", "no/such.json"], 2, "cannot read no/such.json");
    check(&["event", SHIFT], 2, "the JSON that a function receives");
}

#[test]
fn the_committed_plan_is_in_order() {
    let output = run(&["plan", "check", PLAN]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("infra/plans/press-line.yaml: in order, "),
        "{text}"
    );
}

#[test]
fn a_faulty_plan_ends_with_1_and_json_alone_on_stdout() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("faulty.yaml");
    let plan = std::fs::read_to_string(root().join(PLAN)).unwrap();
    std::fs::write(&path, plan.replace("power < 3500.0", "powr < 3500.0")).unwrap();
    let path = path.to_str().unwrap();
    check(&["plan", "check", path], 1, "did you mean `power`?");
    let output = run(&["plan", "check", "--json", path]);
    assert_eq!(output.status.code(), Some(1));
    let finding: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        finding["faults"][0]["message"]
            .as_str()
            .unwrap()
            .contains("powr"),
        "{finding}"
    );
}

/// events/README.md states these commands as the files' origin.
#[test]
fn the_recorded_readings_are_what_their_commands_print() {
    #[track_caller]
    fn check(file: &str, arguments: &[&str]) {
        let printed = run(arguments).stdout;
        let committed = std::fs::read(root().join(file)).unwrap();
        let differs = printed
            .split(|byte| *byte == b'\n')
            .zip(committed.split(|byte| *byte == b'\n'))
            .position(|(a, b)| a != b);
        assert_eq!(
            (differs, printed.len()),
            (None, committed.len()),
            "{file}: first differing line, from 0"
        );
    }
    check(SHIFT, &["simulate", "--scenario", "shift"]);
    check(
        "events/readings/korean.ndjson",
        &[
            "simulate",
            "--scenario",
            "torque-drift",
            "--machines",
            "4",
            "--readings",
            "200",
            "--machine-prefix",
            "프레스-",
            "--line-prefix",
            "라인-",
        ],
    );
}

#[test]
fn a_reader_that_had_enough_ends_it_quietly() {
    let mut child = andon(&["simulate", "--readings", "200000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"machine\":\"press-01\""), "{first}");
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), errors.as_str()),
        (Some(0), "")
    );
}

#[test]
fn backtest_prints_one_quality_event_a_line() {
    let arguments = [
        "plan",
        "backtest",
        "--plan",
        PLAN,
        "--readings",
        SHIFT,
        "--json",
    ];
    let output = run(&arguments);
    let notes = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(
        notes,
        "18 lines skipped: 3 bad-time, 3 blank, 6 no-machine, 6 not-json\n"
    );
    let again = run(&arguments);
    assert_eq!(
        output.stdout, again.stdout,
        "the same input gives the same verdict"
    );
    let events = events(output);
    assert!(events.len() > 100);
    for event in &events {
        assert_eq!(event["kind"], "violation");
        assert_eq!(event["source"]["file"], SHIFT);
        assert!(event["source"]["line"].as_u64().is_some());
    }
}

/// Each finding holds against the published condition, computed here on its own.
#[test]
fn backtest_finds_what_the_published_conditions_say() {
    let readings = std::fs::read_to_string(root().join(SHIFT)).unwrap();
    let expected: Vec<(u64, &str)> = readings
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| {
            let reading: Value = serde_json::from_str(line).ok()?;
            let readable =
                reading["machine"].is_string() && !reading["time"].as_str()?.contains("T25:");
            let measured = |name: &str| reading["measurements"][name].as_f64();
            let torque = measured("torque")?;
            let power = torque * measured("rotational_speed")? * (std::f64::consts::PI / 30.0);
            let limit = match reading["grade"].as_str()? {
                "L" => 11_000.0,
                "M" => 12_000.0,
                _ => 13_000.0,
            };
            let power =
                (!(3_500.0..=9_000.0).contains(&power)).then_some((number, "power-out-of-range"));
            let strain =
                (measured("tool_wear")? * torque > limit).then_some((number, "overstrain"));
            readable.then(|| power.into_iter().chain(strain))
        })
        .flatten()
        .collect();
    let found = events(run(&[
        "plan",
        "backtest",
        "--plan",
        PLAN,
        "--readings",
        SHIFT,
        "--json",
    ]));
    let found: Vec<(u64, &str)> = found
        .iter()
        .filter(|event| event["transition"] != "cleared")
        .map(|event| {
            (
                event["source"]["line"].as_u64().unwrap(),
                event["rule"].as_str().unwrap(),
            )
        })
        .filter(|(_, rule)| ["power-out-of-range", "overstrain"].contains(rule))
        .collect();
    assert_eq!(found, expected);
}

/// The recorded shift as a spreadsheet would save it.
fn as_csv(readings: &str) -> String {
    let mut table = String::from(
        "machine;line;time;product;grade;measurements/air_temperature;measurements/process_temperature;measurements/rotational_speed;measurements/torque;measurements/tool_wear\r\n",
    );
    for line in readings.lines() {
        let reading: Value = serde_json::from_str(line).unwrap_or_default();
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut cells: Vec<String> = ["machine", "line", "time", "product", "grade"]
            .map(|name| cell(&reading[name]))
            .to_vec();
        for name in [
            "air_temperature",
            "process_temperature",
            "rotational_speed",
            "torque",
            "tool_wear",
        ] {
            let value = &reading["measurements"][name];
            // A table has no numbers in quotes.
            cells.push(if value.is_number() {
                cell(value)
            } else {
                String::new()
            });
        }
        table.push_str(&cells.join(";"));
        table.push_str("\r\n");
    }
    table
}

#[test]
fn a_table_gives_the_same_verdicts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shift.csv");
    let readings = std::fs::read_to_string(root().join(SHIFT)).unwrap();
    std::fs::write(&path, as_csv(&readings)).unwrap();
    let judged = |readings: &str| -> Vec<(u64, Value, Value, Value)> {
        events(run(&[
            "plan",
            "backtest",
            "--plan",
            PLAN,
            "--json",
            "--readings",
            readings,
        ]))
        .into_iter()
        .map(|event| {
            (
                event["source"]["line"].as_u64().unwrap(),
                event["rule"].clone(),
                event["transition"].clone(),
                event["values"].clone(),
            )
        })
        .collect()
    };
    let of_table: Vec<_> = judged(path.to_str().unwrap())
        .into_iter()
        .map(|(line, rule, transition, values)| (line - 1, rule, transition, values))
        .collect();
    assert_eq!(of_table, judged(SHIFT));
}

#[test]
fn a_drafted_plan_passes_the_check_and_floods_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("draft.yaml");
    let plan = plan.to_str().unwrap();
    let output = run(&["plan", "init", "--from", SHIFT, "--out", plan]);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("machine: /machine (by its name; 8 different)"),
        "{notes}"
    );
    check(
        &["plan", "init", "--from", SHIFT, "--out", plan],
        2,
        "a draft replaces no plan",
    );
    assert!(run(&["plan", "check", plan]).status.success());
    let text = std::fs::read_to_string(plan).unwrap();
    for expected in [
        "  line: /line",
        "    grade: /grade  # 3 texts: H, L, M",
        "# left out: /product: ",
        "  - id: torque-individuals\n    chart: {type: individuals, characteristic: torque, center: ",
        "  # tool_wear\n  # It rises and starts over",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let summary = dir.path().join("summary.json");
    let output = run(&[
        "plan",
        "backtest",
        "--plan",
        plan,
        "--readings",
        SHIFT,
        "--summary",
        summary.to_str().unwrap(),
    ]);
    assert!(output.status.success());
    let summary: Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    for rule in summary["rules"].as_array().unwrap() {
        assert!(rule["share"].as_f64().unwrap() < 0.01, "{rule}");
    }
    let charts = summary["rules"].as_array().unwrap().iter();
    assert!(charts.filter(|rule| rule["kind"] == "chart").count() >= 3);
}

#[test]
fn backtest_reads_stdin() {
    let mut child = andon(&["plan", "backtest", "--plan", PLAN, "--readings", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let readings = std::fs::read(root().join("events/readings/korean.ndjson")).unwrap();
    child.stdin.take().unwrap().write_all(&readings).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("rule ") && text.contains("\n200 readings judged\n"),
        "{text}"
    );
}

#[test]
fn the_commands_say_what_they_are_for() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for command in [
        "simulate",
        "event",
        "plan",
        "Exit codes: 0 done, 1 a check failed",
    ] {
        assert!(help.contains(command), "{help}");
    }
}

/// A file needs neither AWS nor a bucket to be looked at.
#[test]
fn what_was_set_aside_is_shown_from_a_file_in_the_form_that_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.ndjson");
    let line = r#"{"reason":"not-json","detail":"","holds":"payload","sequence_number":"49","data":"anVuaw=="}"#;
    std::fs::write(&kept, format!("{line}\n")).unwrap();
    let kept = kept.to_str().unwrap();
    let shown = run(&["redrive", "show", kept]);
    let lines = events(shown);
    assert_eq!(
        (&lines[0]["text"], &lines[0]["sequence_number"]),
        (&"junk".into(), &"49".into())
    );

    let edited = folder.path().join("edited.ndjson");
    let edited = edited.to_str().unwrap();
    let told = run(&["redrive", "show", kept, "--out", edited]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.starts_with("1 record in "), "{told}");
    assert_eq!(events(run(&["redrive", "show", edited])), lines);

    check(&["redrive", "run", edited], 2, "give --function");
    check(&["redrive", "run"], 2, "--all");
    check(
        &["redrive", "list", "--region", "us-east-1"],
        2,
        "--stack, --bucket or --local",
    );
    check(&["redrive", "show", "no/such/file"], 2, "no/such/file");
}

/// What goes back is not complete: told for the record, and nothing is invoked.
#[test]
fn a_record_that_cannot_be_sent_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edited.ndjson");
    std::fs::write(&file, r#"{"function":"f","holds":"payload","text":"{}"}"#).unwrap();
    let file = file.to_str().unwrap();
    let output = run(&["redrive", "run", file, "--region", "us-east-1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["records"][0]["reason"], "it lacks `stream`");
    assert_eq!(report["executed"], false);
}
