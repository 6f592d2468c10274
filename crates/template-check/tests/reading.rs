//! What the rules see of a template: conditions both ways, nested stacks, SAM, JSON, and what only the deployment tells.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use template_check::{check, roots};

/// A mapping with a blank for what the case is about, all else as it should be.
const MAPPING: &str = "  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: judge
      EventSourceArn: !Sub arn:aws:kinesis:${AWS::Region}:${AWS::AccountId}:stream/readings
      FunctionResponseTypes: [ReportBatchItemFailures]
      MaximumRecordAgeInSeconds: 3600
      DestinationConfig: {OnFailure: {Destination: !ImportValue failures}}
";

/// Checks `template.yaml` of these files: the rules found, each with its line.
#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &[(&str, usize)]) {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &Path| {
        let text = path.to_str().and_then(|path| files.get(path));
        text.map(|text| (*text).to_owned())
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    };
    let findings = check(Path::new("template.yaml"), &read, None).unwrap();
    let found: Vec<_> = findings.iter().map(|it| (it.rule, it.line)).collect();
    assert_eq!(
        found,
        expected,
        "{}",
        template_check::output::text(&findings)
    );
}

#[track_caller]
fn check_one(text: &str, expected: &[(&str, usize)]) {
    check_files(&[("template.yaml", text)], expected);
}

#[test]
fn conditions_are_looked_at_both_ways() {
    for (condition, branches, found) in [
        ("!Equals [!Ref Mode, safe]", "[Yes, true, false]", true),
        ("!Equals [!Ref Mode, safe]", "[Yes, true, true]", false),
        (
            "!Equals [!Ref AWS::Region, eu-central-1]",
            "[Yes, true, false]",
            true,
        ),
        (
            "!Not [!Equals [!Ref Mode, safe]]",
            "[Yes, false, true]",
            true,
        ),
        // Never true: the mode has two values.
        ("!Equals [!Ref Mode, other]", "[Yes, false, true]", false),
        (
            "!And [!Condition No, !Equals [!Ref Mode, safe]]",
            "[Yes, false, true]",
            false,
        ),
    ] {
        let text = format!(
            "Parameters:\n  Mode: {{Type: String, Default: safe, AllowedValues: [safe, fast]}}\nConditions:\n  Yes: {condition}\n  No: !Equals [a, b]\nResources:\n{MAPPING}      BisectBatchOnFunctionError: !If {branches}\n"
        );
        let expected = [("bisect-off", 15)];
        check_one(&text, if found { &expected } else { &[] });
    }
}

#[test]
fn what_only_the_deployment_tells_is_no_finding() {
    for bisect in [
        "!Ref Bisect",
        "!ImportValue bisect",
        "!FindInMap [A, !Ref AWS::Region, b]",
        "{'Fn::Transform': {Name: M}}",
    ] {
        let text = format!(
            "Parameters:\n  Bisect: {{Type: String}}\nResources:\n{MAPPING}      BisectBatchOnFunctionError: {bisect}\n"
        );
        check_one(&text, &[]);
    }
}

#[test]
fn a_default_counts() {
    let text = format!(
        "Parameters:\n  Bisect: {{Type: String, Default: 'false'}}\nResources:\n{MAPPING}      BisectBatchOnFunctionError: !Ref Bisect\n"
    );
    check_one(&text, &[("bisect-off", 12)]);
}

#[test]
fn values_pass_through_nested_stacks() {
    let root = "Parameters:
  Hours: {Type: Number, Default: 24}
Resources:
  Storage:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: stacks/storage.yaml, Parameters: {Hours: !Ref Hours}}
  Functions:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./stacks/functions.yaml, Parameters: {StreamArn: !GetAtt Storage.Outputs.StreamArn}}
";
    let storage = "Parameters:
  Hours: {Type: Number}
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {RetentionPeriodHours: !Ref Hours, StreamEncryption: {EncryptionType: KMS, KeyId: alias/aws/kinesis}}
Outputs:
  StreamArn: {Value: !GetAtt Stream.Arn}
";
    let functions = format!("Parameters:\n  StreamArn: {{Type: String}}\nResources:\n{MAPPING}      BisectBatchOnFunctionError: true\n")
        .replace("!Sub arn:aws:kinesis:${AWS::Region}:${AWS::AccountId}:stream/readings", "!Ref StreamArn")
        .replace("3600", "86400");
    let files = [
        ("template.yaml", root),
        ("stacks/storage.yaml", storage),
        ("stacks/functions.yaml", &functions),
    ];
    check_files(&files, &[("record-age-beyond-retention", 10)]);
    let longer = root.replace("24", "72");
    check_files(&[("template.yaml", &longer), files[1], files[2]], &[]);
}

#[test]
fn sam_becomes_what_it_stands_for() {
    let text = "Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 60, LoggingConfig: {LogGroup: functions}}
Resources:
  Judge:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Events:
        Readings:
          Type: Kinesis
          Properties:
            Stream: arn:aws:kinesis:eu-central-1:111122223333:stream/readings
            StartingPosition: LATEST
            FunctionResponseTypes: [ReportBatchItemFailures]
            MaximumRetryAttempts: 3
            BisectBatchOnFunctionError: true
            DestinationConfig: {OnFailure: {Destination: 'arn:aws:sqs:eu-central-1:111122223333:failed'}}
";
    check_one(text, &[("starting-latest", 14)]);
    check_one(
        &text
            .replace("Timeout: 60, ", "")
            .replace("LATEST", "TRIM_HORIZON"),
        &[("timeout-default", 5)],
    );
    let excepted = text.replace(
        "    Properties:\n      Handler",
        "    Metadata: {Andon: {Exceptions: {starting-latest: only the present matters}}}\n    Properties:\n      Handler",
    );
    check_one(&excepted, &[]);
}

#[test]
fn json_is_read_too() {
    let text = r#"{
	"Resources": {
		"Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}}
	}
}"#;
    check_one(text, &[("encryption-missing", 3)]);
}

#[test]
fn the_mistakes_of_published_templates_are_found() {
    // Retries and parallelization exchanged, alarms on a stream without dimensions, partial failures enabled nowhere.
    let text = "Parameters:
  BatchSize: {Type: Number, Default: 100}
  ParallelizationFactor: {Type: Number, Default: 1}
  RetryAttempts: {Type: Number, Default: 3}
Resources:
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      BatchSize: !Ref BatchSize
      BisectBatchOnFunctionError: true
      DestinationConfig: {OnFailure: {Destination: !ImportValue failures}}
      EventSourceArn: !Sub arn:aws:kinesis:${AWS::Region}:${AWS::AccountId}:stream/readings
      FunctionName: consumer
      MaximumRetryAttempts: !Ref ParallelizationFactor
      ParallelizationFactor: !Ref RetryAttempts
  AgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Kinesis
      MetricName: GetRecords.IteratorAgeMilliseconds
      ComparisonOperator: GreaterThanOrEqualToThreshold
      EvaluationPeriods: 1
      Period: 300
      Statistic: Maximum
      Threshold: 43200000
";
    check_one(
        text,
        &[
            ("partial-failures-off", 6),
            ("retries-and-parallelization-swapped", 14),
            ("retries-and-parallelization-swapped", 15),
            ("alarm-without-action", 16),
            ("alarm-without-dimensions", 20),
        ],
    );
}

#[test]
fn what_another_template_nests_is_no_root() {
    let root =
        "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: b.yaml}}\n";
    let read = |path: &Path| match path.to_str() {
        Some("in/a.yaml") => Ok(root.to_owned()),
        _ => Ok("Resources:\n  Q: {Type: AWS::SQS::Queue}\n".to_owned()),
    };
    let paths = ["in/a.yaml", "in/b.yaml", "in/c.yaml"].map(PathBuf::from);
    assert_eq!(
        roots(&paths, &read),
        ["in/a.yaml", "in/c.yaml"].map(PathBuf::from)
    );
}
