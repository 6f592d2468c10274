//! Promise 5, same input, same verdict: however a machine's readings are split into batches, whatever the plan.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod random;

use control_plan::ControlPlan;
use judgement::{MachineState, judge};
use proptest::prelude::*;
use quality_event::{QualityEvent, Source};

use random::{Step, plan, steps};

fn judged(
    plans: &[ControlPlan],
    state: &mut MachineState,
    n: u64,
    step: &Step,
) -> Vec<QualityEvent> {
    let plan = &plans[step.plan];
    let reading = plan.read(step.payload.as_bytes()).unwrap();
    let source = Source::File {
        file: "f".into(),
        line: n,
    };
    judge(plan, state, &reading, &source, reading.time).events
}

/// Two plans that share some ids: the second stands for an edit of the first.
fn plans() -> impl Strategy<Value = [ControlPlan; 2]> {
    (plan(), plan()).prop_map(|(one, two)| [one, two])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(plans in plans(), steps in steps()) {
        let (mut kept, mut stored) = (MachineState::default(), MachineState::default());
        for (n, step) in (0_u64..).zip(&steps) {
            if step.stored {
                let bytes = stored.encode();
                stored = MachineState::decode(&bytes).unwrap();
                prop_assert_eq!(&bytes, &stored.encode(), "the form is canonical");
            }
            prop_assert_eq!(judged(&plans, &mut kept, n, step), judged(&plans, &mut stored, n, step));
            prop_assert_eq!(&kept, &stored);
            prop_assert_eq!(kept.is_empty(), kept == MachineState::default());
        }
    }

    #[test]
    fn one_plans_state_keeps_its_bound(plan in plan(), steps in steps()) {
        let plans = [plan.clone(), plan];
        let mut state = MachineState::default();
        for (n, step) in (0_u64..).zip(&steps) {
            judged(&plans, &mut state, n, step);
            let bytes = state.encode().len();
            prop_assert!(bytes <= plans[0].state_bytes(), "{bytes} of {}", plans[0].state_bytes());
        }
    }

    #[test]
    fn judged_twice_gives_the_same_events(plans in plans(), steps in steps()) {
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
    fn episodes_open_and_clear_in_turn(plans in plans(), steps in steps()) {
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
                prop_assert!(QualityEvent::from_json(&event.to_json()).is_ok(), "it keeps the contract");
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![2];
        versioned.extend(&bytes);
        for bytes in [bytes, versioned] {
            if let Ok(state) = MachineState::decode(&bytes) {
                prop_assert_eq!(MachineState::decode(&state.encode()).unwrap(), state);
            }
        }
    }

    /// A stored state with bytes changed decodes to something that judges on without failing, or is refused.
    #[test]
    fn a_tampered_state_never_fails(plans in plans(), steps in steps(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut state = MachineState::default();
        let (before, after) = steps.split_at(steps.len() / 2);
        for (n, step) in (0_u64..).zip(before) {
            judged(&plans, &mut state, n, step);
        }
        let mut bytes = state.encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(mut state) = MachineState::decode(&bytes) {
            for (n, step) in (1_000_u64..).zip(after) {
                for event in judged(&plans, &mut state, n, step) {
                    prop_assert!(event.values.values().all(|value| value.is_finite()));
                }
            }
        }
    }
}
