//! The templates and the code agree: what is set is read, what is called is allowed, what is watched is counted.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fake_aws::{Effect, Fault, Service, When};
use pipeline_tests::{Rig, json_of, opened, overpowered, reading, redriving};
use quality_event::{Finding, QualityEvent, Reaction, Transition};
use serde_json::{Value, json};
use template_check::{check, output, roots};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The templates that are deployed by themselves.
fn templates() -> Vec<PathBuf> {
    let files = ["infra", "infra/options"].map(|folder| std::fs::read_dir(root().join(folder)));
    let paths = files
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| file.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    paths.sort();
    roots(&paths, &|path| std::fs::read_to_string(path))
}

#[test]
fn templates_and_code_agree() {
    let manifest = andon::template::code::manifest();
    let templates = templates();
    assert!(templates.contains(&root().join("infra/template.yaml")));
    for template in templates {
        let read = |path: &Path| std::fs::read_to_string(path);
        let findings = check(&template, &read, Some(&manifest)).unwrap();
        assert!(findings.is_empty(), "{}", output::text(&findings));
    }
}

#[test]
fn each_disagreement_that_is_put_into_a_copy_is_found() {
    let manifest = andon::template::code::manifest();
    for (rule, file, from, to) in [
        (
            "code-variable-missing",
            "functions.yaml",
            "STATE_TABLE:",
            "STATE_TABLES:",
        ),
        (
            "code-variable-unread",
            "functions.yaml",
            "STATE_TABLE:",
            "STATES: x\n          STATE_TABLE:",
        ),
        (
            "code-action-missing",
            "functions.yaml",
            "[dynamodb:BatchGetItem, ",
            "[",
        ),
        (
            "code-action-unused",
            "functions.yaml",
            "[dynamodb:BatchGetItem, ",
            "[dynamodb:BatchGetItem, dynamodb:Scan, ",
        ),
        (
            "code-parallelization",
            "functions.yaml",
            "ParallelizationFactor: 1",
            "ParallelizationFactor: 10",
        ),
        (
            "code-metric-unknown",
            "lake.yaml",
            "MetricName: RecordsFailed",
            "MetricName: RecordsFailing",
        ),
    ] {
        let path = root().join("infra").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        let read = |_: &Path| Ok(text.replacen(from, to, 1));
        let findings = check(&path, &read, Some(&manifest)).unwrap();
        assert!(
            findings.iter().any(|it| it.rule == rule),
            "{rule}: {}",
            output::text(&findings)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_evaluator_calls_what_it_declares() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    let judge = async |batch: Vec<u8>| rig.judge(&batch).await;
    let other = json!({"no": "machine"});
    judge(batches.of(&[overpowered("press-1", 0), other])).await;
    // A machine that cannot be committed is parked, and a note is left that its rules begin anew.
    let refused = Fault::new(Service::DynamoDb, "PutItem").when(When::mentions("press-1"));
    rig.world.fault(refused.then(Effect::FailBefore));
    let parked = batches.of(&[reading("press-1", 1)]);
    rig.clock.advance(600_000);
    judge(parked).await;
    rig.world.clear_faults();
    judge(batches.of(&[reading("press-1", 2)])).await;
    // A start where the newest plan fails its check goes back to an earlier version.
    rig.world
        .put_object("plans", "control-plan.yaml", "rules: nonsense");
    rig.evaluator().await.unwrap();
    assert_calls(&rig, "quality-evaluator");
}

#[tokio::test(start_paused = true)]
async fn the_writer_calls_what_it_declares() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    rig.store(&batches.of(&[json_of(&opened("press-1", "power", 0)), json!({})]))
        .await;
    let mut late = opened("press-2", "power", 1);
    late.late = true;
    if let Finding::Violation(violation) = &mut late.finding {
        violation.transition = None;
    }
    rig.store(&batches.of(&[json_of(&late)])).await;
    assert_calls(&rig, "dynamodb-writer");
}

#[tokio::test(start_paused = true)]
async fn the_alerter_calls_what_it_declares() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    // Sent; held back by the cool-down; a line stop, and what is no event.
    let mut stopping = opened("press-2", "power", 2);
    stopping.reaction = Reaction::StopLine;
    let first = opened("press-1", "power", 0);
    let second = opened("press-1", "power", 1);
    rig.alert(&batches.of(&[json_of(&first)])).await;
    rig.alert(&batches.of(&[json_of(&second), json_of(&stopping), json!({})]))
        .await;
    rig.alert(&batches.of(&[cleared(&first), cleared(&stopping)]))
        .await;
    // A refusal releases the claim.
    let refused = Fault::new(Service::Sns, "PublishBatch");
    rig.world.fault(refused.then(Effect::AccessDenied));
    rig.alert(&batches.of(&[json_of(&opened("press-3", "power", 3))]))
        .await;
    assert_calls(&rig, "sns-alerter");
}

#[tokio::test(start_paused = true)]
async fn the_caller_calls_what_it_declares() {
    let rig = Rig::with_plan(andon::invoke::EXAMPLE_PLAN);
    rig.create_endpoint(0.99);
    let batch = rig.batches().of(&[reading("press-1", 0)]);
    assert_eq!(rig.score(&batch).await, None);
    let flagged = rig.events();
    assert!(matches!(
        &flagged[0].finding,
        Finding::Prediction(prediction) if prediction.flagged
    ));
    // A start where the newest plan fails its check goes back to an earlier version.
    rig.world
        .put_object("plans", "control-plan.yaml", "rules: nonsense");
    rig.caller().await.unwrap();
    assert_calls(&rig, "sagemaker-caller");
}

#[tokio::test(start_paused = true)]
async fn records_brought_back_need_no_other_permission() {
    let rig = Rig::new();
    let batch = rig.batches().of(&[overpowered("press-1", 0)]);
    rig.judge(&redriving(&batch)).await;
    let declared = declared("quality-evaluator");
    let recorded = recorded(&rig);
    assert!(recorded.is_subset(&declared), "{recorded:?}");
}

/// What ends an event's episode.
fn cleared(event: &QualityEvent) -> Value {
    let mut event = event.clone();
    if let Finding::Violation(violation) = &mut event.finding {
        violation.transition = Some(Transition::Cleared);
    }
    let mut cleared = json_of(&event);
    cleared["duration_ms"] = json!(1_000);
    cleared["readings"] = json!(2);
    cleared["extreme"] = json!({"power": 9500.0});
    cleared
}

fn declared(function: &str) -> BTreeSet<String> {
    let manifest = andon::template::code::manifest();
    let function = manifest
        .functions
        .into_iter()
        .find(|it| it.name == function);
    function.unwrap().actions.unwrap().into_iter().collect()
}

/// The IAM actions of every call that the world saw.
fn recorded(rig: &Rig) -> BTreeSet<String> {
    let calls = rig.world.calls();
    let actions = calls
        .iter()
        .flat_map(|call| actions(call.service, &call.operation));
    actions.map(|action| (*action).to_owned()).collect()
}

#[track_caller]
fn assert_calls(rig: &Rig, function: &str) {
    assert_eq!(
        recorded(rig),
        declared(function),
        "left: recorded, right: declared"
    );
}

/// What an operation is authorised by. Source: the Service Authorization Reference.
fn actions(service: Service, operation: &str) -> &'static [&'static str] {
    match (service, operation) {
        (Service::DynamoDb, "BatchGetItem") => &["dynamodb:BatchGetItem"],
        (Service::DynamoDb, "BatchWriteItem") => &["dynamodb:BatchWriteItem"],
        (Service::DynamoDb, "GetItem") => &["dynamodb:GetItem"],
        (Service::DynamoDb, "PutItem") => &["dynamodb:PutItem"],
        (Service::DynamoDb, "UpdateItem") => &["dynamodb:UpdateItem"],
        (Service::DynamoDb, "DeleteItem") => &["dynamodb:DeleteItem"],
        // By the actions inside: the alerter's transactions put, and update or check.
        (Service::DynamoDb, "TransactWriteItems") => &[
            "dynamodb:ConditionCheckItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ],
        (Service::Kinesis, "PutRecords") => &["kinesis:PutRecords"],
        (Service::S3, "PutObject") => &["s3:PutObject"],
        // The plan's versions are read by number.
        (Service::S3, "GetObject") => &["s3:GetObject", "s3:GetObjectVersion"],
        (Service::S3, "DeleteObject") => &["s3:DeleteObject"],
        (Service::S3, "ListObjectsV2") => &["s3:ListBucket"],
        (Service::S3, "ListObjectVersions") => &["s3:ListBucketVersions"],
        (Service::SageMaker, "InvokeEndpoint") => &["sagemaker:InvokeEndpoint"],
        (Service::Sns, "PublishBatch" | "Publish") => &["sns:Publish"],
        _ => panic!("{service} {operation}: which action is it authorised by?"),
    }
}
