//! The example plan on readings of the press line, as `andon plan backtest` runs it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::Backtest;
use quality_event::{Source, Transition};

fn plan() -> ControlPlan {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/plans/press-line.yaml"
    );
    ControlPlan::parse("press-line.yaml", &std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

/// The rules of the published line model, which these tests are about.
const RULES: [&str; 5] = [
    "power-out-of-range",
    "heat-dissipation",
    "overstrain",
    "tool-wear",
    "torque-specification",
];

fn reading(machine: &str, second: u32, [air, process, speed, torque, wear]: [f64; 5]) -> String {
    serde_json::json!({
        "machine": machine, "line": "L2", "time": format!("2026-11-20T01:00:{second:02}Z"), "product": "M14860", "grade": "M",
        "measurements": {"air_temperature": air, "process_temperature": process, "rotational_speed": speed, "torque": torque, "tool_wear": wear},
    })
    .to_string()
}

const GOOD: [f64; 5] = [298.1, 308.6, 1551.0, 42.8, 0.0];
const COLD: [f64; 5] = [300.1, 308.7, 1370.0, 42.8, 0.0];

#[test]
fn a_shift_in_small() {
    let lines = [
        reading("press-07", 0, GOOD),
        reading("press-07", 1, COLD),
        reading("press-08", 1, COLD),
        reading("press-07", 2, COLD),
        String::new(),
        reading("press-07", 3, COLD),
        "not a reading".to_owned(),
        reading("press-07", 4, [298.1, 308.6, 1551.0, 80.0, 201.0]),
        r#"{"machine":"press-07","time":"2026-11-20T01:00:05Z","measurements":{"torque":"42"}}"#
            .to_owned(),
        reading("press-07", 6, GOOD),
        r#"{"machine":"press-07"}"#.to_owned(),
    ];
    let plan = plan();
    let mut backtest = Backtest::new(&plan, "shift.ndjson");
    let numbered: Vec<(u64, &str)> = (1..).zip(lines.iter().map(String::as_str)).collect();
    let told: Vec<(u64, String, Transition)> = backtest
        .lines(numbered)
        .flat_map(|(number, outcome)| {
            let events = outcome.unwrap_or_default();
            let events = events.into_iter();
            let events = events.filter(|event| RULES.contains(&event.subject()));
            events.map(move |event| {
                assert_eq!(
                    event.source,
                    Source::File {
                        file: "shift.ndjson".into(),
                        line: number
                    }
                );
                assert_eq!(event.arrived, event.time);
                (
                    number,
                    event.subject().to_owned(),
                    event.transition().unwrap(),
                )
            })
        })
        .collect();
    use Transition::{Cleared, Opened};
    let expected = [
        (6, "heat-dissipation", Opened),
        (8, "power-out-of-range", Opened),
        (8, "heat-dissipation", Cleared),
        (8, "overstrain", Opened),
        (8, "tool-wear", Opened),
        (8, "torque-specification", Opened),
        (10, "power-out-of-range", Cleared),
        (10, "overstrain", Cleared),
        (10, "tool-wear", Cleared),
        (10, "torque-specification", Cleared),
    ];
    assert_eq!(
        told,
        expected.map(|(line, rule, transition)| (line, rule.to_owned(), transition))
    );
    let tally = backtest.tally();
    assert_eq!(tally.readings, 8);
    assert_eq!(
        tally
            .unreadable
            .iter()
            .map(|(reason, n)| (*reason, *n))
            .collect::<Vec<_>>(),
        [("no-time", 1), ("not-json", 1)]
    );
    let lacking = tally.not_applicable.iter();
    let lacking = lacking.filter(|(rule, _)| RULES.contains(&rule.as_ref()));
    assert_eq!(lacking.map(|(_, n)| n).sum::<u64>(), 5);
}

/// Mathematically these differences are all exactly on the limit of 8.6 K; the published labels are what doubles say.
#[test]
fn the_heat_dissipation_limit_is_decided_by_doubles() {
    let plan = plan();
    for (process, air, fires) in [
        (308.6, 300.0, false),
        (308.7, 300.1, true),
        (307.7, 299.1, true),
        (304.7, 296.1, true),
    ] {
        let mut backtest = Backtest::new(&plan, "f");
        let lines: Vec<(u64, String)> = (1..=3)
            .map(|n| (n, reading("m", n as u32, [air, process, 1370.0, 42.8, 0.0])))
            .collect();
        let events: usize = backtest
            .lines(lines)
            .flat_map(|(_, outcome)| outcome.unwrap())
            .filter(|event| event.subject() == "heat-dissipation")
            .count();
        assert_eq!(events == 1, fires, "{process} - {air}");
    }
}
