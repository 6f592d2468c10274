//! What becomes of records that are brought back: the answer of a function that was invoked with `"redrive": true`.

use kinesis_batch::BatchResponse;
use serde::{Deserialize, Serialize};

/// What a function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// To records that are brought back.
    Redrive(Report),
    /// To a batch of the stream.
    Batch(BatchResponse),
}

impl Answer {
    /// Where the batch is to resume; none: all is done.
    pub fn response(&self) -> &BatchResponse {
        match self {
            Self::Redrive(report) => &report.response,
            Self::Batch(response) => response,
        }
    }
}

/// What became of each record, in the order of the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// As for any batch: empty, or the first record that failed.
    #[serde(flatten)]
    pub response: BatchResponse,
    /// One for each user record, and for each record that cannot be read.
    pub redriven: Vec<Redriven>,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redriven {
    /// The index of the record that carries it in the event's `Records`.
    pub record: usize,
    /// The Kinesis record's; none if the record does not tell.
    pub sequence_number: Option<String>,
    /// The place within an aggregate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_sequence_number: Option<u64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many events it gave rise to.
    #[serde(default)]
    pub events: usize,
}

/// What may become of a record that is brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A reading: judged, its events published.
    Judged,
    /// An event: the function has done with it what it does with events, or had done so before.
    Done,
    /// No retry cures it: it stays where it is set aside.
    Unreadable,
    /// Bring it back again.
    Failed,
}

impl Outcome {
    /// The word in the report, and the metric dimension's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Done => "done",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(answer: &Answer, expected: Value) {
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Answer>(expected).unwrap(), *answer);
    }

    #[test]
    fn an_answer_is_a_batch_response_with_more() {
        check(
            &Answer::Batch(BatchResponse::default()),
            json!({"batchItemFailures": []}),
        );
        let judged = Redriven {
            record: 0,
            sequence_number: Some("4959".into()),
            sub_sequence_number: Some(3),
            outcome: Outcome::Judged,
            reason: None,
            events: 2,
        };
        let unreadable = Redriven {
            record: 1,
            sequence_number: None,
            sub_sequence_number: None,
            outcome: Outcome::Unreadable,
            reason: Some("not-an-object".into()),
            events: 0,
        };
        let report = Report {
            response: BatchResponse::default(),
            redriven: vec![judged, unreadable],
        };
        check(
            &Answer::Redrive(report),
            json!({"batchItemFailures": [], "redriven": [
                {"record": 0, "sequenceNumber": "4959", "subSequenceNumber": 3, "outcome": "judged", "events": 2},
                {"record": 1, "sequenceNumber": null, "outcome": "unreadable", "reason": "not-an-object", "events": 0},
            ]}),
        );
    }

    #[test]
    fn words_are_those_of_the_report() {
        for outcome in [
            Outcome::Judged,
            Outcome::Done,
            Outcome::Unreadable,
            Outcome::Failed,
        ] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
