//! The same in other words: what is right is not reported in another form either, and what is wrong is.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use template_check::{Manifest, check};

/// Whether a rule reports something in the template.
fn reports(rule: &str, template: &str) -> bool {
    let manifest = include_str!("../templates/manifest.json");
    let manifest: Manifest = serde_json::from_str(manifest).unwrap();
    let read = |_: &Path| Ok(template.to_owned());
    let findings = check(Path::new("template.yaml"), &read, Some(&manifest)).unwrap();
    findings.iter().any(|finding| finding.rule == rule)
}

/// A function that reads a stream, by a fan-out consumer or by itself; what its role may do.
fn reader(source: &str, action: &str, resource: &str) -> String {
    format!(
        r"
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
  Consumer:
    Type: AWS::Kinesis::StreamConsumer
    Properties: {{ConsumerName: reader, StreamARN: !GetAtt Stream.Arn}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: read
          PolicyDocument:
            Statement: [{{Effect: Allow, Action: [{action}], Resource: {resource}}}]
  Function:
    Type: AWS::Lambda::Function
    Properties: {{Role: !GetAtt Role.Arn}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Function, EventSourceArn: !GetAtt {source}}}
"
    )
}

#[test]
fn a_streams_consumers_are_named_after_it_and_not_the_other_way_round() {
    for (source, action, resource, expected) in [
        (
            "Consumer.ConsumerARN",
            "kinesis:SubscribeToShard",
            "!Sub '${Stream.Arn}/consumer/*'",
            false,
        ),
        (
            "Consumer.ConsumerARN",
            "kinesis:SubscribeToShard",
            "!GetAtt Consumer.ConsumerARN",
            false,
        ),
        ("Stream.Arn", "'kinesis:Get*'", "!GetAtt Stream.Arn", false),
        (
            "Stream.Arn",
            "'kinesis:Get*'",
            "!GetAtt Consumer.ConsumerARN",
            true,
        ),
    ] {
        let template = reader(source, action, resource);
        let found = reports("mapping-cannot-read", &template);
        assert_eq!(found, expected, "{action} on {resource} for {source}");
    }
}

#[test]
fn a_mapping_waits_for_what_it_reads_by_alone() {
    for (action, expected) in [
        ("kinesis:GetRecords", true),
        ("'kinesis:*'", true),
        ("kinesis:PutRecords", false),
        ("dynamodb:GetItem", false),
    ] {
        let template = format!(
            r"
Resources:
  Role:
    Type: AWS::IAM::Role
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: own
      Roles: [!Ref Role]
      PolicyDocument: {{Statement: [{{Effect: Allow, Action: {action}, Resource: '*'}}]}}
  Stream:
    Type: AWS::Kinesis::Stream
  Function:
    Type: AWS::Lambda::Function
    Properties: {{Role: !GetAtt Role.Arn}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Function, EventSourceArn: !GetAtt Stream.Arn}}
"
        );
        assert_eq!(reports("policy-after-use", &template), expected, "{action}");
    }
}

#[test]
fn what_a_condition_leaves_out_is_not_there() {
    let destinations = r"
Parameters:
  Lake: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}
Conditions:
  Lake: !Equals [!Ref Lake, 'true']
Resources:
  Delivery:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      ExtendedS3DestinationConfiguration: !If
        - Lake
        - CloudWatchLoggingOptions: {Enabled: true, LogGroupName: g, LogStreamName: s}
        - !Ref AWS::NoValue
      HttpEndpointDestinationConfiguration: !If
        - Lake
        - !Ref AWS::NoValue
        - CloudWatchLoggingOptions: {Enabled: true, LogGroupName: g, LogStreamName: s}
";
    assert!(!reports("delivery-errors-unlogged", destinations));
    let unlogged = destinations.replacen("Enabled: true", "Enabled: false", 1);
    assert!(reports("delivery-errors-unlogged", &unlogged));

    let variables = include_str!("../templates/code-variable-missing/good.yaml");
    let set = variables
        .lines()
        .find(|line| line.trim_start().starts_with("TABLE:"))
        .unwrap();
    let (name, value) = set.split_once(": ").unwrap();
    let conditional = format!(
        "Parameters:\n  Own: {{Type: String, Default: 'true', AllowedValues: ['true', 'false']}}\n\
         Conditions:\n  Own: !Equals [!Ref Own, 'true']\n{}",
        variables.replace(
            set,
            &format!("{name}: !If [Own, {value}, !Ref AWS::NoValue]")
        )
    );
    assert!(!reports("code-variable-missing", variables));
    assert!(reports("code-variable-missing", &conditional));
}

#[test]
fn rows_are_converted_unless_it_is_said_otherwise() {
    let written = include_str!("../templates/conversion-compressed/bad.yaml");
    for (enabled, expected) in [
        ("{Enabled: true}", true),
        ("{SchemaConfiguration: {TableName: t}}", true),
        ("{Enabled: false}", false),
    ] {
        let template = written.replace("{Enabled: true}\n", &format!("{enabled}\n"));
        assert_eq!(
            reports("conversion-compressed", &template),
            expected,
            "{enabled}"
        );
    }
}

#[test]
fn a_function_urls_metrics_are_lambdas() {
    let alarm = |metric: &str| {
        format!(
            r"
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Lambda
      MetricName: {metric}
      Dimensions: [{{Name: FunctionName, Value: f}}]
"
        )
    };
    assert!(!reports("alarm-metric-unknown", &alarm("Url5xxCount")));
    assert!(reports("alarm-metric-unknown", &alarm("Uri5xxCount")));
}

#[test]
fn what_a_stack_elsewhere_makes_is_no_finding() {
    let template = r"
Resources:
  Storage:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: https://bucket.s3.amazonaws.com/storage.yaml}
  Role:
    Type: AWS::IAM::Role
  Function:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Function
      EventSourceArn: !GetAtt Storage.Outputs.StreamArn
      StartingPosition: LATEST
";
    for rule in ["log-group-missing", "mapping-cannot-read"] {
        assert!(!reports(rule, template), "{rule}");
    }
    // A stream all the same, since it has a place to start from.
    assert!(reports("bisect-off", template));
    let without = template.replace("AWS::CloudFormation::Stack", "AWS::SNS::Topic");
    assert!(reports("log-group-missing", &without));
}

#[test]
fn a_name_that_nothing_has_is_found_wherever_it_stands() {
    let right = r"
Parameters:
  Stage: {Type: String}
Conditions:
  Live: !Equals [!Ref Stage, live]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: Live
  Topic:
    Type: AWS::SNS::Topic
    DependsOn: [Queue]
Outputs:
  Arn:
    Condition: Live
    Value: !GetAtt Queue.Arn
";
    assert!(!reports("unresolved-reference", right));
    for (name, typo) in [
        ("!Ref Stage", "!Ref Stge"),
        (
            "    Condition: Live\n  Topic",
            "    Condition: Life\n  Topic",
        ),
        (
            "    Condition: Live\n    Value",
            "    Condition: Life\n    Value",
        ),
        ("[Queue]", "[Quue]"),
        ("[Queue]", "Quue"),
        ("Queue.Arn", "Quue.Arn"),
    ] {
        let wrong = right.replace(name, typo);
        assert_ne!(wrong, right);
        assert!(reports("unresolved-reference", &wrong), "{typo}");
    }
}

#[test]
fn json_is_read_with_what_lies_beyond_the_first_plane() {
    for (text, expected) in [
        (r"lake \ud83d\udca7", true),
        (r"\\ud83d and \\\ud83d\udca7", true),
        (r"half \ud83d", false),
    ] {
        let template = format!(
            r#"{{"Description": "{text}", "Resources": {{"Topic": {{"Type": "AWS::SNS::Topic"}}}}}}"#
        );
        let read = |_: &Path| Ok(template.clone());
        let checked = check(Path::new("template.json"), &read, None);
        assert_eq!(checked.is_ok(), expected, "{text}: {checked:?}");
    }
}

#[test]
fn a_transformation_is_looked_at_unless_it_is_written_to_be_off() {
    let bad = include_str!("../templates/transformation-buffer/bad.yaml");
    let switch = "          Enabled: true\n";
    assert!(bad.contains(switch));
    for (written, expected) in [
        (switch, true),
        ("", true),
        ("          Enabled: false\n", false),
    ] {
        let found = reports("transformation-buffer", &bad.replace(switch, written));
        assert_eq!(found, expected, "{written}");
    }
}

/// A queue without encryption where a condition holds, written in some way.
fn plain_queue_where(condition: &str) -> String {
    format!(
        r"
Parameters:
  Stage: {{Type: String, Default: test}}
  Live: {{Type: String, Default: live}}
  Kind: {{Type: String, Default: small, AllowedValues: [small, middle, large]}}
  Topics: {{Type: CommaDelimitedList, Default: ''}}
Mappings:
  Kinds:
    small: {{Plain: 'no'}}
    middle: {{Plain: 'no'}}
    large: {{Plain: 'yes'}}
Conditions:
  Plain: {condition}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: !If [Plain, false, true]
"
    )
}

#[test]
fn conditions_are_tried_both_ways_however_they_are_written() {
    for condition in [
        "!Equals [!Ref Stage, live]",
        "!Equals [!Ref Stage, !Ref Live]",
        "!Equals [!Sub '${Stage}-a', live-a]",
        "!Equals [!Sub ['${It}-a', {It: !Ref Stage}], live-a]",
        "!Equals [!Join ['-', [!Ref Stage, a]], live-a]",
        "!Equals [!Select [0, !Split ['-', !Ref Stage]], live]",
        "!Not [!Equals [!Join ['', !Ref Topics], '']]",
        "!Equals [!FindInMap [Kinds, !Ref Kind, Plain], 'yes']",
        "!Equals [!Ref Stage, !Ref AWS::Region]",
    ] {
        let template = plain_queue_where(condition);
        assert!(reports("encryption-missing", &template), "{condition}");
    }
    // No value of theirs comes to it.
    for never in [
        "!Equals [a, b]",
        "!Equals [!Ref Kind, huge]",
        "!Equals [!FindInMap [Kinds, !Ref Kind, Plain], never]",
    ] {
        let template = plain_queue_where(never);
        assert!(!reports("encryption-missing", &template), "{never}");
    }
}

#[test]
fn an_arn_with_a_name_speaks_of_its_own_kind() {
    let mapping = |source: &str, allowed: &str| {
        format!(
            r"
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {{Name: readings, RetentionPeriodHours: 24}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {{TableName: readings}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: readings
      Policies:
        - PolicyName: read
          PolicyDocument:
            Statement: [{{Effect: Allow, Action: 'kinesis:*', Resource: !GetAtt {allowed}.Arn}}]
  Function:
    Type: AWS::Lambda::Function
    Properties: {{FunctionName: readings, Role: !Sub 'arn:aws:iam::123456789012:role/readings'}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: readings
      EventSourceArn: !Sub 'arn:aws:kinesis:${{AWS::Region}}:${{AWS::AccountId}}:{source}'
"
        )
    };
    for (source, allowed, expected) in [
        ("stream/readings", "Stream", false),
        ("stream/readings", "Table", true),
        // Another stream, of which the template knows nothing.
        ("stream/more-readings", "Table", false),
    ] {
        let found = reports("mapping-cannot-read", &mapping(source, allowed));
        assert_eq!(found, expected, "{source}, {allowed}");
    }
}

#[test]
fn a_log_group_is_a_functions_by_its_whole_name() {
    let template = |group: &str| {
        format!(
            r"
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: {group}}}
  Function:
    Type: AWS::Lambda::Function
    Properties: {{FunctionName: readings}}
"
        )
    };
    for (group, expected) in [
        ("/aws/lambda/readings", false),
        ("!Sub '/aws/lambda/${Function}'", false),
        ("/aws/kinesisfirehose/readings", true),
    ] {
        let found = reports("log-group-missing", &template(group));
        assert_eq!(found, expected, "{group}");
    }
}
