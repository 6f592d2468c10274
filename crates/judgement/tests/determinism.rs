//! Promise 5, same input, same verdict: however a machine's readings are split into batches.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::{MachineState, judge};
use proptest::prelude::*;
use quality_event::{QualityEvent, Source};

const RULES: &str = "
version: 1
reading: {machine: /m, time: /t, attributes: {grade: /g}}
characteristics: {x: {at: /x}, y: {at: /y}, sum: {formula: x + y}}
constants: {limit: {by: grade, values: {L: 1, M: 2}}}
rules:
  - {id: high, when: x > 2}
  - {id: row, when: x > 0, for: {readings: 3}}
  - {id: long, when: sum < 1 || has(y) && y > 3, for: {seconds: 4}}
  - {id: table, when: x > limit, for: {readings: 2}}
  - {id: limits, specification: {characteristic: y, lower: -2, upper: 2}}
";

fn plans() -> [ControlPlan; 2] {
    let other = RULES
        .replace("x > 2", "x > 1")
        .replace("  - {id: row, when: x > 0, for: {readings: 3}}\n", "");
    [RULES, &other]
        .map(|text| ControlPlan::parse("plan", text).unwrap_or_else(|errors| panic!("{errors}")))
}

/// A reading's payload, the plan that judges it, and whether the state is stored and loaded before it.
#[derive(Clone, Debug)]
struct Step {
    payload: String,
    plan: usize,
    stored: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::weighted(0.8, -4_i32..5);
    let time = -2_i64..4;
    (
        value(),
        value(),
        time,
        prop::option::of(prop::sample::select(&["L", "M", "H"][..])),
        prop::bool::weighted(0.1),
        any::<bool>(),
    )
        .prop_map(|(x, y, time, grade, changed, stored)| Step {
            payload: serde_json::json!({"m": "m", "t": time, "x": x, "y": y, "g": grade})
                .to_string(),
            plan: usize::from(changed),
            stored,
        })
}

/// Times are steps from the reading before.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60).prop_map(|mut steps| {
        let mut now = 1_000_000;
        for step in &mut steps {
            let mut payload: serde_json::Value = serde_json::from_str(&step.payload).unwrap();
            now += payload["t"].as_i64().unwrap();
            payload["t"] = now.into();
            step.payload = payload.to_string();
        }
        steps
    })
}

fn judged(
    plans: &[ControlPlan],
    state: &mut MachineState,
    n: u64,
    step: &Step,
) -> Vec<QualityEvent> {
    let plan = &plans[step.plan];
    let reading = plan.read(step.payload.as_bytes()).unwrap();
    judge(
        plan,
        state,
        &reading,
        &Source::File {
            file: "f".into(),
            line: n,
        },
        reading.time,
    )
    .events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(steps in steps()) {
        let plans = plans();
        let (mut kept, mut stored) = (MachineState::default(), MachineState::default());
        for (n, step) in (0_u64..).zip(&steps) {
            if step.stored {
                let bytes = stored.encode();
                prop_assert!(bytes.len() <= plans[0].state_bytes().max(plans[1].state_bytes()));
                stored = MachineState::decode(&bytes).unwrap();
            }
            prop_assert_eq!(judged(&plans, &mut kept, n, step), judged(&plans, &mut stored, n, step));
            prop_assert_eq!(&kept, &stored);
        }
    }

    #[test]
    fn judged_twice_gives_the_same_events(steps in steps()) {
        let plans = plans();
        let mut state = MachineState::default();
        for (n, step) in (0_u64..).zip(&steps) {
            let (mut once, mut twice) = (state.clone(), state);
            prop_assert_eq!(judged(&plans, &mut once, n, step), judged(&plans, &mut twice, n, step));
            prop_assert_eq!(&once, &twice);
            state = once;
        }
    }

    /// Episodes are well formed whatever happens: opened, then ongoing, then cleared, under one id.
    #[test]
    fn episodes_open_and_clear_in_turn(steps in steps()) {
        let plans = plans();
        let mut state = MachineState::default();
        let mut open = std::collections::BTreeMap::new();
        for (n, step) in (0_u64..).zip(&steps) {
            for event in judged(&plans, &mut state, n, step) {
                let violation = event.violation().unwrap();
                let episode = violation.episode.clone().unwrap();
                match event.transition().unwrap().as_str() {
                    "opened" => {
                        prop_assert_eq!(&episode, &event.id);
                        prop_assert!(open.insert(violation.rule.clone(), (episode, 1)).is_none());
                    }
                    "ongoing" => {
                        let (id, readings) = open.get_mut(&violation.rule).expect("an open episode");
                        prop_assert_eq!(&episode, &*id);
                        *readings += 1;
                    }
                    _ => {
                        let (id, readings) = open.remove(&violation.rule).expect("an open episode");
                        prop_assert_eq!(episode, id);
                        prop_assert_eq!(violation.ended.as_ref().unwrap().readings, readings);
                    }
                }
                prop_assert!(event.values.values().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![1];
        versioned.extend(&bytes);
        for bytes in [bytes, versioned] {
            if let Ok(state) = MachineState::decode(&bytes) {
                prop_assert_eq!(MachineState::decode(&state.encode()).unwrap(), state);
            }
        }
    }
}
