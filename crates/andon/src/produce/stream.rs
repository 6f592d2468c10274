//! The port to a stream, and Kinesis behind it.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use lambda_function::aws::{Fault, classify};

use super::queue::Entry;
use crate::aws::words;

/// Takes records; some may be rejected while others are accepted.
pub trait Stream {
    /// Puts the entries in one call: per entry, why it was rejected, or none if it was accepted.
    fn put(
        &self,
        entries: &[Entry],
    ) -> impl Future<Output = Result<Vec<Option<Rejection>>, PutError>>;
}

/// Why an entry was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    /// The service's error code.
    pub code: String,
    /// What it says beside it.
    pub message: String,
}

impl Rejection {
    /// Whether the entry may be accepted another time.
    pub fn is_worth_retrying(&self) -> bool {
        Fault::of_code(&self.code).is_worth_retrying()
    }
}

/// The call as a whole failed.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// Another attempt may succeed; the entries may have been accepted all the same.
    #[error("{0}")]
    Transient(String),
    /// No attempt will.
    #[error("{0}")]
    Permanent(String),
}

/// A Kinesis data stream.
#[derive(Clone, Debug)]
pub struct KinesisStream {
    client: Client,
    stream: String,
}

impl KinesisStream {
    /// The stream of that name or ARN.
    pub fn new(client: Client, stream: &str) -> Self {
        Self {
            client,
            stream: stream.to_owned(),
        }
    }
}

impl Stream for KinesisStream {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Option<Rejection>>, PutError> {
        let records = entries
            .iter()
            .map(|entry| {
                let data = Blob::new(entry.data.clone());
                PutRecordsRequestEntry::builder()
                    .partition_key(&entry.partition_key)
                    .data(data)
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PutError::Permanent(error.to_string()))?;
        let call = self.client.put_records().set_records(Some(records));
        let call = match self.stream.starts_with("arn:") {
            true => call.stream_arn(&self.stream),
            false => call.stream_name(&self.stream),
        };
        match call.send().await {
            Ok(response) => rejections(&response, entries.len()),
            Err(error) if classify(&error).is_worth_retrying() => {
                Err(PutError::Transient(words(&error)))
            }
            Err(error) => Err(PutError::Permanent(words(&error))),
        }
    }
}

/// Per entry of the call: the response's own order is the request's.
fn rejections(
    response: &PutRecordsOutput,
    entries: usize,
) -> Result<Vec<Option<Rejection>>, PutError> {
    let results = response.records();
    if results.len() != entries {
        let message = format!(
            "{entries} records were put and {} answered for",
            results.len()
        );
        return Err(PutError::Transient(message));
    }
    let rejection = |code: &str, message: Option<&str>| Rejection {
        code: code.to_owned(),
        message: message.unwrap_or_default().to_owned(),
    };
    Ok(results
        .iter()
        .map(|result| {
            result
                .error_code()
                .map(|code| rejection(code, result.error_message()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::types::PutRecordsResultEntry;

    use super::*;

    fn response(codes: &[Option<&str>]) -> PutRecordsOutput {
        let records = codes
            .iter()
            .map(|code| {
                PutRecordsResultEntry::builder()
                    .set_error_code(code.map(str::to_owned))
                    .build()
            })
            .collect();
        PutRecordsOutput::builder()
            .set_records(Some(records))
            .build()
            .unwrap()
    }

    #[test]
    fn rejections_keep_their_places() {
        let found = rejections(&response(&[None, Some("InternalFailure"), None]), 3).unwrap();
        let codes: Vec<_> = found
            .iter()
            .map(|rejection| rejection.as_ref().map(|rejection| rejection.code.as_str()))
            .collect();
        assert_eq!(codes, [None, Some("InternalFailure"), None]);
    }

    #[test]
    fn an_answer_of_another_length_says_nothing() {
        assert!(matches!(
            rejections(&response(&[None]), 2),
            Err(PutError::Transient(_))
        ));
    }

    #[test]
    fn throttling_is_worth_another_attempt() {
        let rejection = |code: &str| Rejection {
            code: code.into(),
            message: String::new(),
        };
        assert!(rejection("ProvisionedThroughputExceededException").is_worth_retrying());
        assert!(rejection("InternalFailure").is_worth_retrying());
        assert!(!rejection("AccessDeniedException").is_worth_retrying());
    }
}
