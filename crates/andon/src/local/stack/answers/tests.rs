//! The answers are the AWS CLI's own (1.46.2), recorded against the emulator and shortened.

use super::*;

const STACKS: &str = r#"{"Stacks": [
    {"StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/andon/65cef025-c72b-4c46-8f92-65e275949bec",
     "StackName": "andon", "CreationTime": "2026-11-21T02:04:30.112000+00:00", "StackStatus": "CREATE_COMPLETE",
     "Outputs": [
        {"OutputKey": "ReadingsStreamName", "OutputValue": "andon-readings", "Description": "Where gateways put readings."},
        {"OutputKey": "PlanBucketName", "OutputValue": "andon-storage-b34d90c5-366-planbucket-117f2f8efebc6"}]},
    {"StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/andon-Storage-b34d90c5-366/b34d90c5",
     "StackName": "andon-Storage-b34d90c5-366", "StackStatus": "CREATE_COMPLETE",
     "Outputs": [{"OutputKey": "ReadingsStreamName", "OutputValue": "andon-readings", "Description": ""}]},
    {"StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/andon-Functions-7eb6871d-938/7eb6871d",
     "StackName": "andon-Functions-7eb6871d-938", "StackStatus": "CREATE_IN_PROGRESS"}]}"#;

const EVENTS: &str = r#"{"StackEvents": [
    {"StackName": "andon", "LogicalResourceId": "andon", "ResourceType": "AWS::CloudFormation::Stack",
     "ResourceStatus": "ROLLBACK_COMPLETE"},
    {"StackName": "andon", "LogicalResourceId": "Storage", "ResourceType": "AWS::CloudFormation::Stack",
     "ResourceStatus": "CREATE_FAILED",
     "ResourceStatusReason": "Requested attribute Arn does not exist in schema for AWS::KMS::Key"},
    {"StackName": "andon", "LogicalResourceId": "Consumer", "ResourceType": "AWS::Kinesis::StreamConsumer",
     "ResourceStatus": "CREATE_FAILED"},
    {"StackName": "andon", "LogicalResourceId": "Storage", "ResourceType": "AWS::CloudFormation::Stack",
     "ResourceStatus": "CREATE_IN_PROGRESS"}]}"#;

const FUNCTIONS: &str = r#"{"Functions": [
    {"FunctionName": "andon-sns-alerter",
     "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter", "Runtime": "provided.al2023",
     "CodeSha256": "mJMbZqL9v8wKIQXxg+ZScj3kSoTiu6I5/4Y1MFGwFqc=", "Timeout": 60, "MemorySize": 256,
     "Environment": {"Variables": {"COOL_DOWN": "300", "FUNCTION_TIMEOUT": "60"}}, "Architectures": ["arm64"],
     "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO",
                       "LogGroup": "/aws/lambda/andon-sns-alerter"}},
    {"FunctionName": "andon-dynamodb-writer",
     "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:andon-dynamodb-writer",
     "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Timeout": "30", "MemorySize": "512"}]}"#;

const MAPPINGS: &str = r#"{"EventSourceMappings": [
    {"UUID": "50f67ad3-85c2-4752-81da-4ded82e05d66", "StartingPosition": "TRIM_HORIZON", "BatchSize": 500,
     "MaximumBatchingWindowInSeconds": 1, "ParallelizationFactor": 1,
     "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings",
     "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:andon-quality-evaluator",
     "LastModified": 1795226670, "LastProcessingResult": "No records processed", "State": "Enabled",
     "StateTransitionReason": "USER_INITIATED",
     "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::andon-storage-setasidebucket-1aedfbd06df7b"}},
     "MaximumRecordAgeInSeconds": 21600, "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": -1,
     "FunctionResponseTypes": ["ReportBatchItemFailures"],
     "EventSourceMappingArn": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:50f67ad3-85c2-4752-81da-4ded82e05d66"},
    {"UUID": "972bf842-cf40-4387-82fc-3061435a010c", "BatchSize": "10", "MaximumRetryAttempts": "0",
     "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/andon-quality-events",
     "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:andon-dynamodb-writer",
     "FilterCriteria": {"Filters": [{"Pattern": "{\"data\":{\"severity\":[\"critical\"]}}"}]}}]}"#;

fn read<T: for<'de> Deserialize<'de>>(answer: &str) -> T {
    serde_json::from_str(answer).unwrap()
}

#[test]
fn parameters_survive_commas_and_quotes() {
    assert_eq!(
        parameters(&[("AlertEmail", "a,\"b\"@example.com")]),
        r#"[{"ParameterKey":"AlertEmail","ParameterValue":"a,\"b\"@example.com"}]"#
    );
}

#[test]
fn tells_the_root_stack_from_nested_ones() {
    let stacks: Stacks = read(STACKS);
    assert_eq!(stacks.status("andon"), "CREATE_COMPLETE");
    assert_eq!(
        stacks.status("andon-Functions-7eb6871d-938"),
        "CREATE_IN_PROGRESS"
    );
    assert_eq!(stacks.status("deleted"), "");
    let (root, nested) = stacks.outputs("andon");
    assert_eq!(
        root["PlanBucketName"],
        "andon-storage-b34d90c5-366-planbucket-117f2f8efebc6"
    );
    assert_eq!(
        nested["andon-Storage-b34d90c5-366"]["ReadingsStreamName"],
        "andon-readings"
    );
    assert!(nested["andon-Functions-7eb6871d-938"].is_empty());
    assert_eq!(nested.len(), 2);
}

#[test]
fn names_what_failed_oldest_first() {
    let failures: Vec<_> = read::<Events>(EVENTS).failures().collect();
    assert_eq!(
        failures,
        [
            "Consumer (AWS::Kinesis::StreamConsumer): no reason given",
            "Storage (AWS::CloudFormation::Stack): Requested attribute Arn does not exist in schema for AWS::KMS::Key",
        ]
    );
}

/// By the hash of their code.
fn packages(all: bool) -> BTreeMap<String, String> {
    let alerter = (
        "mJMbZqL9v8wKIQXxg+ZScj3kSoTiu6I5/4Y1MFGwFqc=",
        "sns-alerter",
    );
    let writer = ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "writer");
    let packages = [Some(alerter), all.then_some(writer)];
    let packages = packages.into_iter().flatten();
    packages
        .map(|(code, package)| (code.to_owned(), package.to_owned()))
        .collect()
}

#[test]
fn a_function_is_read_with_its_package() {
    let functions = read::<Functions>(FUNCTIONS).deployed("andon", &packages(true));
    let [writer, alerter] = functions.unwrap().try_into().unwrap();
    assert_eq!(
        (writer.package.as_str(), writer.label.as_str()),
        ("writer", "dynamodb-writer")
    );
    assert_eq!(writer.name, "andon-dynamodb-writer");
    assert_eq!(
        (writer.timeout, writer.memory_mb),
        (Duration::from_secs(30), 512)
    );
    assert_eq!(
        (writer.log_level.as_str(), writer.environment.len()),
        ("INFO", 0)
    );
    assert_eq!(alerter.package, "sns-alerter");
    assert_eq!(alerter.environment["FUNCTION_TIMEOUT"], "60");
    assert_eq!(alerter.log_level, "DEBUG");
}

#[test]
fn a_function_without_a_package_is_refused() {
    let error = read::<Functions>(FUNCTIONS)
        .deployed("andon", &packages(false))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the function andon-dynamodb-writer belongs to no package of the templates"
    );
    assert!(
        error
            .cure()
            .contains("../target/lambda/<package>/bootstrap.zip")
    );
}

#[test]
fn a_mapping_is_read_whole_and_defaults_are_lambdas() {
    let [writer, evaluator] = read::<Mappings>(MAPPINGS).deployed().try_into().unwrap();
    assert_eq!(
        evaluator,
        DeployedMapping {
            uuid: "50f67ad3-85c2-4752-81da-4ded82e05d66".to_owned(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:andon-quality-evaluator"
                .to_owned(),
            event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings"
                .to_owned(),
            starting_position: "TRIM_HORIZON".to_owned(),
            batch_size: 500,
            batching_window: Duration::from_secs(1),
            parallelization_factor: 1,
            maximum_retry_attempts: None,
            maximum_record_age: Some(Duration::from_secs(21_600)),
            bisect_batch_on_function_error: true,
            report_batch_item_failures: true,
            on_failure: Some("arn:aws:s3:::andon-storage-setasidebucket-1aedfbd06df7b".to_owned()),
            filters: vec![],
            tumbling_window: Duration::ZERO,
        }
    );
    assert_eq!((writer.batch_size, writer.parallelization_factor), (10, 1));
    assert_eq!(
        (writer.maximum_retry_attempts, writer.maximum_record_age),
        (Some(0), None)
    );
    assert!(!writer.report_batch_item_failures && !writer.bisect_batch_on_function_error);
    assert_eq!(
        (writer.starting_position.as_str(), writer.on_failure),
        ("LATEST", None)
    );
    assert_eq!(writer.filters, [r#"{"data":{"severity":["critical"]}}"#]);
}
