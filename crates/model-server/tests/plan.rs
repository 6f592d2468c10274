//! The plan that asks, the model that answers and the card that describes it speak of the same thing.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use control_plan::ControlPlan;
use model_server::Model;
use serde_json::Value;

fn infra(path: &str) -> String {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    std::fs::read_to_string(infra.join(path)).unwrap()
}

#[test]
fn the_press_line_asks_for_what_the_model_was_trained_on() {
    let plan = ControlPlan::parse("press-line.yaml", &infra("plans/press-line.yaml")).unwrap();
    let asked = plan.model().unwrap().columns();
    let sample: Value = serde_json::from_str(&infra("model/sample.json")).unwrap();
    assert_eq!(sample["features"], Value::from(asked.clone()));
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/model");
    assert_eq!(Model::load(&dir).unwrap().features(), asked.len());
}

#[test]
fn the_press_line_flags_where_the_card_says() {
    let plan = ControlPlan::parse("press-line.yaml", &infra("plans/press-line.yaml")).unwrap();
    let card = infra("model/MODEL_CARD.md");
    for threshold in plan.model().unwrap().thresholds() {
        let row = format!("| `{}` | {:.2} |", threshold.reaction, threshold.score);
        assert!(card.contains(&row), "{row}");
    }
}
