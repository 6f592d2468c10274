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

/// A rule of each kind, and of each kind of chart's memory.
const EVERY_KIND: &str = "version: 1
reading: {machine: /m, time: /t, id: /id, attributes: {tool: /w}}
characteristics: {x: {at: /x}}
rules:
  - {id: a, when: x > 5, severity: critical}
  - {id: b, when: x > 6, for: {readings: 3}}
  - {id: c, when: x > previous(x)}
  - {id: d, rate: {characteristic: x, max_per_second: 5}}
  - {id: e, stuck: {characteristic: x, readings: 3}}
  - {id: f, missing: {characteristic: x, readings: 3}}
  - {id: g, gap: {seconds: 30}}
  - {id: h, specification: {characteristic: x, lower: 0}}
  - {id: i, chart: {type: individuals, characteristic: x, center: 7, sigma: 1, tests: nelson, reset_on: tool}}
  - {id: j, chart: {type: xbar-r, characteristic: x, center: 7, sigma: 1, subgroup: 3}}
  - {id: k, chart: {type: ewma, characteristic: x, learn: 10, lambda: 0.5}}
  - {id: l, chart: {type: cusum, characteristic: x, center: 7, sigma: 1}}
  - {id: m, chart: {type: u, characteristic: x, size: 2, center: 3, tests: western-electric, relearn_on: tool}}
";

/// Stored states outlive a deployment: a change of the form needs a new version byte.
#[test]
fn the_form_is_stable() {
    let plan = parse(EVERY_KIND);
    let state = judged(
        &plan,
        &[
            r#"{"m":"m","t":100,"x":7,"id":"1","w":"a"}"#,
            r#"{"m":"m","t":101,"x":8,"id":"2","w":"a"}"#,
        ],
    );
    let told: String = state
        .encode()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        told,
        "0202a0bead804318e2551422c248be2a924d0b01619523df75af4417080002c322125d8696495e55ec4f8fa752cc370201c09a0c02010178000000000000204001624b790cb7d7990ffd000102c09a0c01637a841fa9e78e91d80101000000000000204002911e9222155ffdee9faf87b36690bfb3010190aa0c01010178000000000000204001649bf3c9ebf16d1581030190aa0c00000000000020400001659c30f24b9576a30904000000000000204001000167562f365fdac5a442060190aa0c000169743f0411fa5bd0ea020000010000000000002040010200000000010201000100000000000020400101407448d2b89b181300016a65f7b4f6065027ad020001020000000000001e40000000000000e03f0000000000001c40000000000000204000000000016b2d62e1ccd4dfdb4f02010200000000000000400000000000002e406befb491f85bec3f01010000000000002040000000000000016c4d577f3b9c28dc4d02000003000000000000e03f0000000000000000000000016d54082e49099fb2d10200000002020000000000000c4000000000000010400101407448d2b89b181300"
    );
    assert_eq!(MachineState::decode(&state.encode()).unwrap(), state);
}

/// After a gap the rules begin anew: nothing is left of what they remember but open episodes and reading ids.
#[test]
fn a_restart_keeps_open_episodes_alone() {
    let plan = parse(EVERY_KIND);
    let quiet = |id: &str| format!(r#"{{"m":"m","t":100,"x":4.5,"id":"{id}"}}"#);
    let mut state = judged(&plan, &[&quiet("1")]);
    let mut fresh = judged(&plan, &[]);
    state.restart();
    assert_ne!(state, fresh, "it knows the reading's id");
    let again = plan.read(quiet("1").as_bytes()).unwrap();
    let source = Source::File {
        file: "f".into(),
        line: 9,
    };
    assert!(judge(&plan, &mut state, &again, &source, again.time).is_duplicate);
    let next = plan.read(quiet("2").as_bytes()).unwrap();
    let told = judge(&plan, &mut state, &next, &source, next.time).events;
    assert_eq!(
        told,
        judge(&plan, &mut fresh, &next, &source, next.time).events
    );

    let mut open = judged(&plan, &[r#"{"m":"m","t":100,"x":9,"id":"1"}"#]);
    open.restart();
    assert!(!open.is_empty());
    let told = judge(&plan, &mut open, &next, &source, next.time).events;
    let cleared: Vec<_> = told.iter().map(|event| event.subject()).collect();
    assert_eq!(cleared, ["a"]);
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
    assert_eq!(state.encode(), [2, 0, 0]);
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
        MachineState::decode(&[1, 0]),
        Err(Undecodable::Version(1))
    ));
    assert!(matches!(
        MachineState::decode(&[2, 0, 5]),
        Err(Undecodable::Malformed(_))
    ));
    assert!(matches!(
        MachineState::decode(&[2, 0, 0, 0]),
        Err(Undecodable::Implausible)
    ));
    assert!(matches!(
        MachineState::decode(&vec![2; 200_000]),
        Err(Undecodable::TooLarge(200_000))
    ));
    // A count of rules that no memory holds.
    assert!(matches!(
        MachineState::decode(&[2, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        Err(Undecodable::Malformed(_))
    ));
}
