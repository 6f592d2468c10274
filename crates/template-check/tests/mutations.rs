//! The project's own templates have no finding, and each fault that is put into a copy of them is found.

use std::path::{Path, PathBuf};

use template_check::{check, output};

/// What is put into a copy: in which file of `infra`, behind which text, what becomes what; and the rule that finds it.
/// The template that is checked is the file itself, or the root where the fault shows only between stacks.
struct Mutation {
    rule: &'static str,
    file: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
    from_root: bool,
}

const fn within(
    rule: &'static str,
    file: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutation {
    Mutation {
        rule,
        file,
        behind,
        from,
        to,
        from_root: false,
    }
}

const fn between(
    rule: &'static str,
    file: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutation {
    Mutation {
        rule,
        file,
        behind,
        from,
        to,
        from_root: true,
    }
}

const FUNCTIONS: &str = "functions.yaml";
const LAKE: &str = "lake.yaml";
const STORAGE: &str = "storage.yaml";
const MAPPING: &str = "\n  EvaluatorMapping:";
const DELIVERY: &str = "\n  ReadingsDelivery:";
const ALARM: &str = "\n  ReadingsFreshnessAlarm:";

const MUTATIONS: &[Mutation] = &[
    within(
        "partial-failures-off",
        FUNCTIONS,
        MAPPING,
        "[ReportBatchItemFailures]",
        "[]",
    ),
    within(
        "bisect-off",
        FUNCTIONS,
        MAPPING,
        "BisectBatchOnFunctionError: true",
        "BisectBatchOnFunctionError: false",
    ),
    within(
        "failure-destination-missing",
        FUNCTIONS,
        MAPPING,
        "OnFailure:",
        "OnSuccess:",
    ),
    within(
        "retries-unlimited",
        FUNCTIONS,
        MAPPING,
        "      MaximumRetryAttempts: !Ref RetryAttempts\n      MaximumRecordAgeInSeconds: 21600\n",
        "",
    ),
    within(
        "retries-and-parallelization-swapped",
        FUNCTIONS,
        MAPPING,
        "ParallelizationFactor: 1",
        "ParallelizationFactor: !Ref RetryAttempts",
    ),
    within(
        "mapping-setting-out-of-range",
        FUNCTIONS,
        MAPPING,
        "BatchSize: 500",
        "BatchSize: 50000",
    ),
    within(
        "failure-destination-forbidden",
        FUNCTIONS,
        "\n  WriterRole:",
        "s3:PutObject",
        "s3:GetObject",
    ),
    within(
        "failure-destination-fifo",
        FUNCTIONS,
        MAPPING,
        "Destination: !Sub 'arn:${AWS::Partition}:s3:::${SetAsideBucketName}'",
        "Destination: 'arn:aws:sqs:eu-central-1:111122223333:failed.fifo'",
    ),
    between(
        "record-age-beyond-retention",
        FUNCTIONS,
        MAPPING,
        "MaximumRecordAgeInSeconds: 21600",
        "MaximumRecordAgeInSeconds: 604800",
    ),
    within(
        "record-age-within-timeout",
        FUNCTIONS,
        MAPPING,
        "MaximumRecordAgeInSeconds: 21600",
        "MaximumRecordAgeInSeconds: 60",
    ),
    within(
        "timeout-default",
        FUNCTIONS,
        "\n  Evaluator:",
        "      Timeout: !Ref TimeoutSeconds\n",
        "",
    ),
    within(
        "starting-latest",
        FUNCTIONS,
        MAPPING,
        "TRIM_HORIZON",
        "LATEST",
    ),
    between(
        "mapping-cannot-read",
        FUNCTIONS,
        "\n  WriterRole:",
        "kinesis:GetRecords, ",
        "",
    ),
    within(
        "log-retention-missing",
        FUNCTIONS,
        "\n  EvaluatorLog:",
        "      RetentionInDays: !Ref LogRetentionDays\n",
        "",
    ),
    within(
        "log-group-after-function",
        FUNCTIONS,
        "\n  EvaluatorLog:",
        "/aws/lambda/${Prefix}-quality-evaluator",
        "/aws/lambda/${Evaluator}",
    ),
    within(
        "condition-as-value",
        FUNCTIONS,
        "\n  Evaluator:",
        "!If [Reserve,",
        "!Or [Reserve,",
    ),
    within(
        "unresolved-reference",
        FUNCTIONS,
        "\n  Writer:",
        "!Ref EventsTableName",
        "!Ref EventTableName",
    ),
    within(
        "duplicate-key",
        FUNCTIONS,
        MAPPING,
        "BatchSize: 500\n",
        "BatchSize: 500\n      BatchSize: 100\n",
    ),
    within(
        "exception-unused",
        FUNCTIONS,
        MAPPING,
        "    Properties:",
        "    Metadata: {Andon: {Exceptions: {bisect-off: because}}}\n    Properties:",
    ),
    within(
        "exception-without-reason",
        FUNCTIONS,
        MAPPING,
        "    Properties:",
        "    Metadata: {Andon: {Exceptions: {bisect-off: ''}}}\n    Properties:",
    ),
    within(
        "transformation-timeout",
        LAKE,
        "\n  ReadingsTransformer:",
        "Timeout: 60",
        "Timeout: 600",
    ),
    within(
        "transformation-buffer",
        LAKE,
        DELIVERY,
        "BufferSizeInMBs, ParameterValue: '1'",
        "BufferSizeInMBs, ParameterValue: '3'",
    ),
    within(
        "partitioning-without-error-prefix",
        LAKE,
        DELIVERY,
        "        ErrorOutputPrefix: errors/readings/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/\n",
        "",
    ),
    within(
        "partitioning-buffer",
        LAKE,
        DELIVERY,
        "SizeInMBs: !Ref BufferMiB",
        "SizeInMBs: 5",
    ),
    within(
        "conversion-compressed",
        LAKE,
        DELIVERY,
        "[Parquet, UNCOMPRESSED, GZIP]",
        "[Parquet, GZIP, GZIP]",
    ),
    within(
        "delivery-errors-unlogged",
        LAKE,
        DELIVERY,
        "CloudWatchLoggingOptions: {Enabled: true",
        "CloudWatchLoggingOptions: {Enabled: false",
    ),
    within(
        "policy-after-use",
        LAKE,
        DELIVERY,
        "    DependsOn: ReadingsDeliveryPolicy\n",
        "",
    ),
    within(
        "alarm-without-dimensions",
        LAKE,
        ALARM,
        "      Dimensions: [{Name: DeliveryStreamName, Value: !Ref ReadingsDelivery}]\n",
        "",
    ),
    within(
        "alarm-metric-unknown",
        LAKE,
        ALARM,
        "DeliveryToS3.DataFreshness",
        "DataFreshness",
    ),
    within(
        "alarm-dimension-value",
        LAKE,
        ALARM,
        "!Ref ReadingsDelivery}",
        "!GetAtt ReadingsDelivery.Arn}",
    ),
    within(
        "alarm-without-action",
        LAKE,
        ALARM,
        "    Properties:\n",
        "    Properties:\n      ActionsEnabled: false\n",
    ),
    within(
        "encryption-missing",
        STORAGE,
        "\n  ReadingsStream:",
        "      StreamEncryption: {EncryptionType: KMS, KeyId: !GetAtt Key.Arn}\n",
        "",
    ),
    within(
        "queue-under-managed-key",
        STORAGE,
        "\n  LineStopQueue:",
        "KmsMasterKeyId: !GetAtt Key.Arn",
        "KmsMasterKeyId: alias/aws/sqs",
    ),
    within(
        "queue-refuses-topic",
        STORAGE,
        "\n  LineStopQueuePolicy:",
        "Queues: [!Ref LineStopQueue]",
        "Queues: [!Ref UndeliveredQueue]",
    ),
    between(
        "topic-under-managed-key",
        STORAGE,
        "\n  AlarmTopic:",
        "KmsMasterKeyId: !GetAtt Key.Arn",
        "KmsMasterKeyId: alias/aws/sns",
    ),
    between(
        "key-shuts-out-alarms",
        STORAGE,
        "\n  Key:",
        "Principal: {Service: cloudwatch.amazonaws.com}",
        "Principal: {Service: events.amazonaws.com}",
    ),
    between(
        "nested-parameters",
        "template.yaml",
        "\n  Storage:",
        "AlertEmail: !Ref AlertEmail",
        "AlertMail: !Ref AlertEmail",
    ),
    within(
        "chat-without-guardrails",
        "observability.yaml",
        "AWS::Chatbot::SlackChannelConfiguration",
        "      GuardrailPolicies:",
        "      UserRoleRequired: true\n      Others:",
    ),
];

fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra")
}

#[test]
fn each_fault_in_a_copy_of_the_templates_is_found() {
    let mut wrong = Vec::new();
    for Mutation {
        rule,
        file,
        behind,
        from,
        to,
        from_root,
    } in MUTATIONS
    {
        let changed = infra().join(file);
        let text = std::fs::read_to_string(&changed).unwrap();
        let Some((before, after)) = text.split_once(behind) else {
            wrong.push(format!("{rule}: {file} has no {behind:?}"));
            continue;
        };
        if !after.contains(from) {
            wrong.push(format!("{rule}: {file} has no {from:?} behind {behind:?}"));
            continue;
        }
        let mutated = format!("{before}{behind}{}", after.replacen(from, to, 1));
        let read = |path: &Path| match path.file_name() == changed.file_name() {
            true => Ok(mutated.clone()),
            false => std::fs::read_to_string(path),
        };
        let root = infra().join(if *from_root { "template.yaml" } else { file });
        let findings = check(&root, &read, None).unwrap_or_else(|bad| panic!("{rule}: {bad}"));
        if findings.iter().all(|finding| finding.rule != *rule) {
            wrong.push(format!(
                "{rule}: not found in {file}; {}",
                output::text(&findings)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_templates_as_they_are_have_no_finding() {
    let read = |path: &Path| std::fs::read_to_string(path);
    for file in [
        "template.yaml",
        FUNCTIONS,
        LAKE,
        STORAGE,
        "delivery.yaml",
        "observability.yaml",
    ] {
        let findings = check(&infra().join(file), &read, None).unwrap();
        assert!(findings.is_empty(), "{}", output::text(&findings));
    }
}

#[test]
fn at_least_thirty_rules_are_tried() {
    let mut rules: Vec<&str> = MUTATIONS.iter().map(|mutation| mutation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules.len(), MUTATIONS.len());
    assert!(rules.len() >= 30);
}
