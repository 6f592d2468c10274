//! Logging starts once per process: a test binary of its own.

use std::collections::BTreeMap;

#[test]
fn a_second_start_changes_nothing() {
    let environment = BTreeMap::from([("AWS_LAMBDA_LOG_LEVEL", "ERROR")]);
    lambda_function::telemetry::init(&environment);
    lambda_function::telemetry::init(&environment);
    tracing::info!("below the level");
    let caught = std::panic::catch_unwind(|| panic!("logged, not printed twice"));
    assert!(caught.is_err());
}
