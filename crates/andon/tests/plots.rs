//! The pictures of a backtest, as a user gets them: the same readings give the same bytes, and those are committed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const PLAN: &str = "version: 1
reading: {machine: /machine, line: /line, time: /time, attributes: {tool: /tool}}
characteristics:
  torque: {at: /torque, unit: Nm}
  defects: {at: /defects}
  inspected: {at: /inspected}
rules:
  - id: torque-out-of-control
    chart: {type: individuals, characteristic: torque, center: 40.0, sigma: 2.0, tests: western-electric, reset_on: tool}
  - id: torque-means
    chart: {type: xbar-r, characteristic: torque, subgroup: 4, center: 40.0, sigma: 2.0}
  - id: torque-drift
    chart: {type: ewma, characteristic: torque, lambda: 0.2, width: 2.7, learn: 20}
    reaction: stop-line
  - id: torque-shift
    chart: {type: cusum, characteristic: torque, center: 40.0, sigma: 2.0, k: 0.5, h: 5.0}
  - id: defective-share
    chart: {type: p, characteristic: defects, size: inspected, center: 0.05}
  - id: torque-specification
    specification: {characteristic: torque, lower: 34.0, upper: 46.0}
    reaction: record
";

/// Forty readings of one machine, a change of tool in the middle, a shift at the end; and a machine whose name is no
/// name for a file.
fn readings() -> String {
    let mut lines = String::new();
    for n in 0..40_u32 {
        let even = (f64::from(n) * 0.618_033_988_75).fract();
        let shift = if n >= 32 { 4.5 } else { 0.0 };
        let torque = ((40.0 + 6.0 * (even - 0.5) + shift) * 10.0).round() / 10.0;
        let tool = if n < 20 { "T1" } else { "T2" };
        let defects = n % 5 + if n == 35 { 20 } else { 0 };
        let inspected = 60 + n % 3 * 20;
        let minute = n / 4;
        let second = n % 4 * 15;
        lines.push_str(&format!(
            r#"{{"machine":"press-07","line":"L2","time":"2026-11-20T06:{minute:02}:{second:02}Z","tool":"{tool}","torque":{torque},"defects":{defects},"inspected":{inspected}}}"#
        ));
        lines.push('\n');
    }
    lines.push_str(
        "{\"machine\":\"../<press> 7\",\"time\":\"2026-11-20T06:00:00Z\",\"torque\":47.5}\n",
    );
    lines
}

/// The pictures by name.
fn draw(plan: &str, readings: &str) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plan.yaml"), plan).unwrap();
    std::fs::write(dir.path().join("readings.ndjson"), readings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_andon"))
        .current_dir(dir.path())
        .args([
            "plan",
            "backtest",
            "--plan",
            "plan.yaml",
            "--readings",
            "readings.ndjson",
        ])
        .args(["--plot", "charts/of this run"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    std::fs::read_dir(dir.path().join("charts/of this run"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plots")
}

/// `UPDATE_GOLDEN=1` writes what is drawn; look at it before it is committed.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for whoever runs the tests"
)]
fn the_pictures_are_as_committed() {
    let drawn = draw(PLAN, &readings());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(golden());
        std::fs::create_dir_all(golden()).unwrap();
        for (name, picture) in &drawn {
            std::fs::write(golden().join(name), picture).unwrap();
        }
    }
    let committed: BTreeMap<String, String> = std::fs::read_dir(golden())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    assert_eq!(
        drawn.keys().collect::<Vec<_>>(),
        committed.keys().collect::<Vec<_>>()
    );
    for (name, picture) in &drawn {
        let differs = picture
            .lines()
            .zip(committed[name].lines())
            .find(|(a, b)| a != b);
        assert_eq!(
            (differs, picture.len()),
            (None, committed[name].len()),
            "{name}"
        );
    }
}

#[test]
fn every_chart_rule_and_machine_has_its_picture() {
    let drawn = draw(PLAN, &readings());
    let page = &drawn["index.html"];
    for name in drawn.keys().filter(|name| name.ends_with(".svg")) {
        assert!(page.contains(&format!("src=\"{name}\"")), "{name}");
    }
    for rule in [
        "torque-out-of-control",
        "torque-means",
        "torque-drift",
        "torque-shift",
        "defective-share",
    ] {
        assert!(
            drawn.contains_key(&format!("{rule}--press-07.svg")),
            "{rule}"
        );
    }
    assert!(drawn.contains_key("torque-specification.svg") && drawn.contains_key("pareto.svg"));
    let strange = drawn
        .keys()
        .find(|name| name.starts_with("torque-out-of-control--press-7-"))
        .unwrap();
    assert!(drawn[strange].contains("../&lt;press&gt; 7"));
}

/// What the picture marks is what the rule has found.
#[test]
fn marks_are_the_tests_that_fired() {
    let drawn = draw(PLAN, &readings());
    let chart = &drawn["torque-out-of-control--press-07.svg"];
    assert!(
        chart.contains("WE4 eight in a row on one side"),
        "the shift of eight readings"
    );
    assert!(chart.contains(">tool T2</text>"), "the change of tool");
    let learned = &drawn["torque-drift--press-07.svg"];
    assert!(learned.contains("phase I: limits are learned"));
}

#[test]
fn a_long_chart_goes_on_on_the_next_sheet() {
    let plan = "version: 1
reading: {machine: /m, time: /t}
characteristics: {x: {at: /x}}
rules:
  - {id: level, chart: {type: individuals, characteristic: x, center: 0.0, sigma: 1.0}}
";
    let readings: String = (0..5_010)
        .map(|n| {
            format!(
                "{{\"m\":\"a\",\"t\":{},\"x\":{}}}\n",
                1_795_132_800 + n,
                n % 2
            )
        })
        .collect();
    let drawn = draw(plan, &readings);
    let names: Vec<&str> = drawn.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "index.html",
            "level--a--1.svg",
            "level--a--2.svg",
            "pareto.svg"
        ]
    );
    assert!(drawn["level--a--2.svg"].contains("10 points judged"));
}
