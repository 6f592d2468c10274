//! A record that is not delivered, as it is kept under the error prefix.

use serde::Serialize;

use crate::record::Record;

/// Why a record is not delivered. Codes and messages are those of the service, as far as they are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ProcessingFailed,
    FunctionError,
    TimedOut,
    Throttled,
    Response,
    DuplicatedRecordId,
    MissingRecordId,
    PartitionKeys,
    ActivePartitions,
}

impl Fault {
    /// What `!{firehose:error-output-type}` stands for.
    pub fn error_output_type(self) -> &'static str {
        match self {
            Self::PartitionKeys => "metadata-extraction-failed",
            Self::ActivePartitions => "active-partition-limit-exceeded",
            _ => "processing-failed",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::ProcessingFailed => "Lambda.ProcessingFailedStatus",
            Self::FunctionError => "Lambda.FunctionError",
            Self::TimedOut => "Lambda.FunctionTimedOut",
            Self::Throttled => "Lambda.InvokeLimitExceeded",
            Self::Response => "Lambda.JsonProcessingException",
            Self::DuplicatedRecordId => "Lambda.DuplicatedRecordId",
            Self::MissingRecordId => "Lambda.MissingRecordId",
            Self::PartitionKeys => "DynamicPartitioning.MetadataExtractionFailed",
            Self::ActivePartitions => "DynamicPartitioning.ActivePartitionLimitExceeded",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::ProcessingFailed => "ProcessingFailed status set for record",
            Self::FunctionError => {
                "The Lambda function was successfully invoked but it returned an error result."
            }
            Self::TimedOut => "The Lambda function did not return before its time was up.",
            Self::Throttled => "The Lambda concurrent execution limit is exceeded.",
            Self::Response => {
                "There was an error parsing returned records from the Lambda function."
            }
            Self::DuplicatedRecordId => "Multiple records were returned with the same record ID.",
            Self::MissingRecordId => "One or more record IDs were not returned.",
            Self::PartitionKeys => "partitionKeys values must not be null or empty",
            Self::ActivePartitions => "The limit of active partitions is reached.",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed<'a> {
    attempts_made: u32,
    arrival_timestamp: i64,
    error_code: &'a str,
    error_message: &'a str,
    attempt_ending_timestamp: i64,
    raw_data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_sequence_number: Option<u64>,
}

/// The record's line in an object under the error prefix. `rawData` is the record as it came.
pub(crate) fn line(
    record: &Record,
    fault: Fault,
    attempts: u32,
    now_ms: i64,
    lambda_arn: Option<&str>,
) -> Vec<u8> {
    let place = record.place.as_ref();
    let failed = Failed {
        attempts_made: attempts,
        arrival_timestamp: record.arrived_ms,
        error_code: fault.code(),
        error_message: fault.message(),
        attempt_ending_timestamp: now_ms,
        raw_data: base64_simd::STANDARD.encode_to_string(&record.data),
        lambda_arn,
        sequence_number: place.map(|place| place.sequence_number.as_str()),
        sub_sequence_number: place.map(|place| place.sub_sequence_number),
    };
    // Texts and numbers always serialise.
    let mut line = serde_json::to_vec(&failed).unwrap_or_default();
    line.push(b'\n');
    line
}
