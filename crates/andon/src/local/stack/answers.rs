//! What the AWS CLI answers, and what a local run makes of it. Pure: text in, values out.
//!
//! Numbers are read from text too: the emulator gives back whatever kind of value the template had.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::StackError;

/// A function as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedFunction {
    /// The package whose binary is its code, such as `quality-evaluator`.
    pub package: String,
    /// What it is called here: its name without the stack's. Several functions may be of one package.
    pub label: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// When an invocation is given up.
    pub timeout: Duration,
    /// Its memory, in MB.
    pub memory_mb: u32,
    /// What Lambda puts into `AWS_LAMBDA_LOG_LEVEL`.
    pub log_level: String,
}

/// An event source mapping as it was deployed: the settings, with Lambda's defaults where the template is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedMapping {
    /// Its id.
    pub uuid: String,
    /// The function that it invokes.
    pub function_arn: String,
    /// The stream (or the consumer of one) that it reads.
    pub event_source_arn: String,
    /// `TRIM_HORIZON`, `LATEST` or `AT_TIMESTAMP`.
    pub starting_position: String,
    /// The most records in a batch.
    pub batch_size: u32,
    /// How long a batch is gathered.
    pub batching_window: Duration,
    /// How many batches of a shard are under way at once.
    pub parallelization_factor: u32,
    /// The retries after the first attempt; `None` is without limit.
    pub maximum_retry_attempts: Option<u32>,
    /// The age from which a record is not retried; `None` is without limit.
    pub maximum_record_age: Option<Duration>,
    /// Whether a failed batch is halved.
    pub bisect_batch_on_function_error: bool,
    /// Whether `batchItemFailures` in the answer counts.
    pub report_batch_item_failures: bool,
    /// The ARN of what takes discarded batches.
    pub on_failure: Option<String>,
    /// The patterns of which a record must match one; without any, all records pass.
    pub filters: Vec<String>,
    /// The length of tumbling windows; zero is none.
    pub tumbling_window: Duration,
}

/// `--parameters` as JSON: the shorthand splits values at commas.
pub(super) fn parameters(parameters: &[(&str, &str)]) -> String {
    let list = parameters
        .iter()
        .map(|(name, value)| serde_json::json!({"ParameterKey": name, "ParameterValue": value}));
    Value::Array(list.collect()).to_string()
}

/// `aws cloudformation describe-stacks`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stacks {
    stacks: Vec<Stack>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    stack_name: String,
    stack_status: String,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

impl Stacks {
    /// Empty if there is no such stack: it was deleted after a failure.
    pub fn status(&self, name: &str) -> &str {
        self.stacks
            .iter()
            .find(|stack| stack.stack_name == name)
            .map_or("", |stack| &stack.stack_status)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stacks.iter().map(|stack| stack.stack_name.as_str())
    }

    /// The outputs of the root, and those of every other stack by its name.
    pub fn outputs(
        self,
        root: &str,
    ) -> (
        BTreeMap<String, String>,
        BTreeMap<String, BTreeMap<String, String>>,
    ) {
        let mut nested: BTreeMap<_, BTreeMap<_, _>> = self
            .stacks
            .into_iter()
            .map(|stack| {
                let outputs = stack
                    .outputs
                    .into_iter()
                    .map(|output| (output.output_key, output.output_value));
                (stack.stack_name, outputs.collect())
            })
            .collect();
        (nested.remove(root).unwrap_or_default(), nested)
    }
}

/// `aws cloudformation describe-stack-events`; newest first.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Events {
    stack_events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    logical_resource_id: String,
    #[serde(default)]
    resource_type: String,
    resource_status: String,
    resource_status_reason: Option<String>,
}

impl Events {
    /// What failed and why, oldest first.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failed = self
            .stack_events
            .iter()
            .rev()
            .filter(|event| event.resource_status.ends_with("_FAILED"));
        failed.map(|event| {
            let reason = event
                .resource_status_reason
                .as_deref()
                .unwrap_or("no reason given");
            format!(
                "{} ({}): {reason}",
                event.logical_resource_id, event.resource_type
            )
        })
    }
}

/// `aws lambda list-functions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Functions {
    functions: Vec<Function>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Function {
    function_name: String,
    function_arn: String,
    code_sha256: String,
    #[serde(default)]
    environment: Environment,
    #[serde(deserialize_with = "number")]
    timeout: i64,
    #[serde(deserialize_with = "number")]
    memory_size: i64,
    #[serde(default)]
    logging_config: LoggingConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingConfig {
    application_log_level: Option<String>,
}

impl Functions {
    /// The functions in the order of their labels; `packages` by the hash of their code.
    pub fn deployed(
        self,
        stack: &str,
        packages: &BTreeMap<String, String>,
    ) -> Result<Vec<DeployedFunction>, StackError> {
        let deployed = |function: Function| {
            let name = &function.function_name;
            let package = packages.get(&function.code_sha256);
            let label = name
                .strip_prefix(stack)
                .and_then(|rest| rest.strip_prefix('-'));
            Ok(DeployedFunction {
                package: package.cloned().ok_or(StackError::NoPackage {
                    function: name.clone(),
                })?,
                label: label.unwrap_or(name).to_owned(),
                name: function.function_name,
                arn: function.function_arn,
                environment: function.environment.variables,
                timeout: seconds(function.timeout),
                memory_mb: count(function.memory_size),
                log_level: function
                    .logging_config
                    .application_log_level
                    .unwrap_or_else(|| "INFO".to_owned()),
            })
        };
        let mut functions = self
            .functions
            .into_iter()
            .map(deployed)
            .collect::<Result<Vec<_>, _>>()?;
        functions.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(functions)
    }
}

/// `aws lambda list-event-source-mappings`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Mappings {
    event_source_mappings: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mapping {
    #[serde(rename = "UUID")]
    uuid: String,
    function_arn: String,
    event_source_arn: String,
    starting_position: Option<String>,
    #[serde(default = "batch_size", deserialize_with = "number")]
    batch_size: i64,
    #[serde(default, deserialize_with = "number")]
    maximum_batching_window_in_seconds: i64,
    #[serde(default = "one", deserialize_with = "number")]
    parallelization_factor: i64,
    #[serde(default = "without_limit", deserialize_with = "number")]
    maximum_retry_attempts: i64,
    #[serde(default = "without_limit", deserialize_with = "number")]
    maximum_record_age_in_seconds: i64,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default)]
    function_response_types: Vec<String>,
    #[serde(default)]
    destination_config: DestinationConfig,
    #[serde(default)]
    filter_criteria: FilterCriteria,
    #[serde(default, deserialize_with = "number")]
    tumbling_window_in_seconds: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DestinationConfig {
    on_failure: OnFailure,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OnFailure {
    destination: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FilterCriteria {
    filters: Vec<Filter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: String,
}

impl Mappings {
    /// The mappings in the order of their functions.
    pub fn deployed(self) -> Vec<DeployedMapping> {
        let mut mappings: Vec<_> = self
            .event_source_mappings
            .into_iter()
            .map(DeployedMapping::from)
            .collect();
        mappings.sort_by(|a, b| {
            (&a.function_arn, &a.event_source_arn).cmp(&(&b.function_arn, &b.event_source_arn))
        });
        mappings
    }
}

impl From<Mapping> for DeployedMapping {
    fn from(mapping: Mapping) -> Self {
        Self {
            uuid: mapping.uuid,
            function_arn: mapping.function_arn,
            event_source_arn: mapping.event_source_arn,
            starting_position: mapping
                .starting_position
                .unwrap_or_else(|| "LATEST".to_owned()),
            batch_size: count(mapping.batch_size),
            batching_window: seconds(mapping.maximum_batching_window_in_seconds),
            parallelization_factor: count(mapping.parallelization_factor),
            maximum_retry_attempts: u32::try_from(mapping.maximum_retry_attempts).ok(),
            maximum_record_age: u64::try_from(mapping.maximum_record_age_in_seconds)
                .ok()
                .map(Duration::from_secs),
            bisect_batch_on_function_error: mapping.bisect_batch_on_function_error,
            report_batch_item_failures: mapping
                .function_response_types
                .iter()
                .any(|kind| kind == "ReportBatchItemFailures"),
            on_failure: mapping.destination_config.on_failure.destination,
            filters: mapping
                .filter_criteria
                .filters
                .into_iter()
                .map(|filter| filter.pattern)
                .collect(),
            tumbling_window: seconds(mapping.tumbling_window_in_seconds),
        }
    }
}

/// Lambda's default for Kinesis.
fn batch_size() -> i64 {
    100
}

fn one() -> i64 {
    1
}

/// What Lambda calls -1.
fn without_limit() -> i64 {
    -1
}

fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// A number, or its text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(i64),
        Text(String),
    }
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => Ok(number),
        NumberOrText::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests;
