//! The stored form of a machine's state: stable, bounded, refused where it is not ours.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::{MachineState, Undecodable, judge};
use quality_event::Source;

fn parse(text: &str) -> ControlPlan {
    ControlPlan::parse("plan.yaml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn judged(plan: &ControlPlan, payloads: &[&str]) -> MachineState {
    let mut state = MachineState::default();
    for (n, payload) in (1_u64..).zip(payloads) {
        let reading = plan.read(payload.as_bytes()).unwrap();
        judge(
            plan,
            &mut state,
            &reading,
            &Source::File {
                file: "f".into(),
                line: n,
            },
            reading.time,
        );
    }
    state
}

/// Stored states outlive a deployment: a change of the form needs a new version byte.
#[test]
fn the_form_is_stable() {
    let plan = parse(
        "version: 1\nreading: {machine: /m, time: /t}\ncharacteristics: {x: {at: /x}}\nrules:\n  - {id: a, when: x > 5, severity: critical}\n  - {id: b, when: x > 6, for: {readings: 3}}\n",
    );
    let state = judged(
        &plan,
        &[r#"{"m":"m","t":100,"x":7}"#, r#"{"m":"m","t":101,"x":8}"#],
    );
    let told: String = state
        .encode()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        told,
        "010201619523df75af44170801c322125d8696495e55ec4f8fa752cc370201c09a0c02010178000000000000204001624b790cb7d7990ffd0002c09a0c"
    );
    assert_eq!(MachineState::decode(&state.encode()).unwrap(), state);
}

#[test]
fn a_quiet_machine_has_no_state() {
    let plan = parse(
        "version: 1\nreading: {machine: /m, time: /t}\ncharacteristics: {x: {at: /x}}\nrules: [{id: a, when: x > 5}]\n",
    );
    let state = judged(
        &plan,
        &[r#"{"m":"m","t":100,"x":1}"#, r#"{"m":"m","t":101}"#],
    );
    assert_eq!(state, MachineState::default());
    assert!(state.is_empty());
    assert_eq!(state.encode(), [1, 0]);
}

/// The plan's bound holds where every rule has an open episode with extremes of every characteristic it names.
#[test]
fn the_plans_bound_holds() {
    let names: Vec<String> = (0..20)
        .map(|n| format!("a_characteristic_with_a_rather_long_name_{n}"))
        .collect();
    let characteristics: String = names
        .iter()
        .map(|name| format!("  {name}: {{at: /{name}}}\n"))
        .collect();
    let all = names
        .iter()
        .map(|name| format!("{name} > 0"))
        .collect::<Vec<_>>()
        .join(" && ");
    let rules: String = (0..20)
        .map(|n| format!("  - {{id: a-rule-with-a-rather-long-id-number-{n}, when: {all}}}\n"))
        .collect();
    let plan = parse(&format!(
        "version: 1\nreading: {{machine: /m, time: /t}}\ncharacteristics:\n{characteristics}rules:\n{rules}"
    ));
    let values: String = names
        .iter()
        .map(|name| format!(",\"{name}\":1.7976931348623157e308"))
        .collect();
    let payload = format!(r#"{{"m":"m","t":"-009999-01-02T01:59:59Z"{values}}}"#);
    let state = judged(&plan, &[payload.as_str(); 300]);
    let bytes = state.encode().len();
    assert!(
        bytes <= plan.state_bytes(),
        "{bytes} of {}",
        plan.state_bytes()
    );
    assert!(
        bytes > plan.state_bytes() * 9 / 10,
        "the bound is loose: {bytes} of {}",
        plan.state_bytes()
    );
}

#[test]
fn other_bytes_are_refused() {
    assert!(matches!(MachineState::decode(&[]), Err(Undecodable::Empty)));
    assert!(matches!(
        MachineState::decode(&[2, 0]),
        Err(Undecodable::Version(2))
    ));
    assert!(matches!(
        MachineState::decode(&[1, 5]),
        Err(Undecodable::Malformed(_))
    ));
    assert!(matches!(
        MachineState::decode(&[1, 0, 0]),
        Err(Undecodable::Implausible)
    ));
    assert!(matches!(
        MachineState::decode(&vec![1; 200_000]),
        Err(Undecodable::TooLarge(200_000))
    ));
    // A count of rules that no memory holds.
    assert!(matches!(
        MachineState::decode(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        Err(Undecodable::Malformed(_))
    ));
}
