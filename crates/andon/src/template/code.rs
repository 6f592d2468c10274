//! What Andon's functions say of themselves: the variables that they declare, the metrics that they count, the IAM
//! actions of their calls.
//!
//! The actions are those that the scenarios record from the functions' adapters; a test holds the two against each other.

use lambda_function::Settings;
use lambda_function::config::Variable;
use lambda_function::metrics::{FUNCTION, Metric};
use template_check::Manifest;
use template_check::manifest::{self, Function};

/// The IAM actions of the evaluator's calls.
const EVALUATOR_ACTIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "kinesis:PutRecords",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutObject",
];
/// The IAM actions of the writer's calls.
const WRITER_ACTIONS: &[&str] = &[
    "dynamodb:BatchWriteItem",
    "dynamodb:PutItem",
    "s3:PutObject",
];
/// The IAM actions of the alerter's calls.
const ALERTER_ACTIONS: &[&str] = &[
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "s3:PutObject",
    "sns:Publish",
];

/// The IAM actions of the caller's calls.
const CALLER_ACTIONS: &[&str] = &[
    "kinesis:PutRecords",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucketVersions",
    "sagemaker:InvokeEndpoint",
];

/// Every function, for templates to be held against.
pub fn manifest() -> Manifest {
    let evaluator = Function {
        partial_failures: true,
        // An aggregate may hold any machine under any key: batches side by side would judge out of order.
        parallelization_limit: Some(1),
        ..function(
            "quality-evaluator",
            quality_evaluator::config::VARIABLES,
            quality_evaluator::METRICS,
            EVALUATOR_ACTIONS,
        )
    };
    let writer = Function {
        partial_failures: true,
        ..function(
            "dynamodb-writer",
            dynamodb_writer::config::VARIABLES,
            dynamodb_writer::METRICS,
            WRITER_ACTIONS,
        )
    };
    let alerter = Function {
        partial_failures: true,
        ..function(
            "sns-alerter",
            sns_alerter::config::VARIABLES,
            sns_alerter::METRICS,
            ALERTER_ACTIONS,
        )
    };
    let caller = Function {
        partial_failures: true,
        ..function(
            "sagemaker-caller",
            sagemaker_caller::config::VARIABLES,
            sagemaker_caller::METRICS,
            CALLER_ACTIONS,
        )
    };
    // It calls no service, and answers for each record by its id.
    let transformer = function(
        "firehose-transformer",
        firehose_transformer::config::VARIABLES,
        firehose_transformer::METRICS,
        &[],
    );
    Manifest {
        namespace: "Andon".to_owned(),
        function_dimension: FUNCTION.to_owned(),
        functions: vec![evaluator, writer, alerter, caller, transformer],
    }
}

fn function(name: &str, variables: &[Variable], metrics: &[Metric], actions: &[&str]) -> Function {
    let variable = |variable: &Variable| manifest::Variable {
        name: variable.name.to_owned(),
        // What Lambda sets itself no template has to set.
        required: variable.is_required() && !variable.name.starts_with("AWS_"),
    };
    let metric = |metric: &Metric| manifest::Metric {
        name: metric.name.to_owned(),
        dimensions: metric
            .dimensions
            .iter()
            .map(|it| (*it).to_owned())
            .collect(),
    };
    Function {
        name: name.to_owned(),
        variables: variables
            .iter()
            .chain(Settings::VARIABLES)
            .map(variable)
            .collect(),
        metrics: metrics.iter().map(metric).collect(),
        actions: Some(actions.iter().map(|it| (*it).to_owned()).collect()),
        ..Function::default()
    }
}
