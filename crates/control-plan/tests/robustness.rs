//! Whatever bytes a plan or a payload has: an answer, never a panic.

use control_plan::ControlPlan;
use proptest::prelude::*;

const PRESS_LINE: &str = include_str!("../../../infra/plans/press-line.yaml");

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The answer, having rendered it. The parser's own thread turns a panic into a fault: that counts as one here.
fn parse(text: &str) -> bool {
    match ControlPlan::parse("plan.yaml", text) {
        Ok(_) => true,
        Err(errors) => {
            let told = errors.to_string();
            assert!(!told.contains("the parser failed"), "{text:?}");
            assert!(!errors.faults().is_empty());
            false
        }
    }
}

/// Parts of conditions, in any order.
fn soup() -> impl Strategy<Value = String> {
    let parts = [
        "x", "y", "grade", "lim", "has", "min", "previous", "(", ")", "[", "]", "{", "}", ",", "?",
        ":", "&&", "||", "!", "<", "<=", "==", "!=", "in", "+", "-", "*", "/", "%", ".", "1",
        "2.5", "1e9", "7u", "'M'", "\"é\"", "null", "true", "&", "=", "`", "\\", "프", "\t", "all",
        "..", "?.", "0x1F", "'",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..14)
        .prop_map(|parts| parts.join(" "))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        parse(&text);
    }

    #[test]
    fn any_slip_in_a_good_plan_is_answered(at in 0..PRESS_LINE.len(), length in 0..40_usize, instead in "[ -~\n프\t]{0,6}") {
        let mut text = PRESS_LINE.to_owned();
        text.replace_range(at..(at + length).min(PRESS_LINE.len()), &instead);
        parse(&text);
    }

    #[test]
    fn any_condition_is_answered(condition in soup()) {
        let when = serde_json::to_string(&condition).unwrap();
        parse(&format!(
            "{{version: 1, reading: {{machine: /m, time: /t, attributes: {{grade: /g}}}}, characteristics: {{x: {{at: /x}}, y: {{formula: x + 1}}}}, constants: {{lim: 3}}, rules: [{{id: r, when: {when}, summary: {when}}}]}}"
        ));
    }

    #[test]
    fn any_payload_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let plan = ControlPlan::parse("plan.yaml", PRESS_LINE).unwrap();
        let _ = plan.read(&bytes);
    }

    #[test]
    fn any_slip_in_a_good_payload_is_answered(at in 0..150_usize, byte in any::<u8>()) {
        let plan = ControlPlan::parse("plan.yaml", PRESS_LINE).unwrap();
        let mut payload = br#"{"machine":"press-07","line":"L2","time":"2026-11-20T01:02:03.456Z","grade":"M","measurements":{"air_temperature":298.1,"torque":42.8,"tool_wear":0}}"#.to_vec();
        let at = at.min(payload.len() - 1);
        payload[at] = byte;
        if let Ok(reading) = plan.read(&payload) {
            for rule in plan.rules() {
                let _ = (rule.verdict(&reading), rule.summary(&reading));
            }
        }
    }
}
