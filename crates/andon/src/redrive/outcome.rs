//! What became of records that were brought back, taken from a function's answer.

use kinesis_batch::{BatchResponse, SequenceNumber};
use serde::{Deserialize, Serialize};
use set_aside::{Answer, Outcome, Redriven};

use super::held::{Held, Origin, Ready};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// A reading that was judged.
    Judged,
    /// An event that was stored or alerted, or had been before.
    Done,
    /// Still no retry cures it.
    Unreadable,
    /// No longer on the stream.
    Gone,
    /// It has to be brought back again.
    Failed,
}

impl Became {
    /// All of them, the good ones first.
    pub const ALL: [Self; 5] = [
        Self::Judged,
        Self::Done,
        Self::Unreadable,
        Self::Gone,
        Self::Failed,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Done => "done",
            Self::Unreadable => "unreadable",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }

    /// Whether the record is where it belongs.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Judged | Self::Done)
    }
}

impl From<Outcome> for Became {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Judged => Self::Judged,
            Outcome::Done => Self::Done,
            Outcome::Unreadable => Self::Unreadable,
            Outcome::Failed => Self::Failed,
        }
    }
}

/// What is told of a record; of an aggregate, one for each record in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What became of it.
    pub outcome: Became,
    /// Why, where it did not come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many records this is told of: one, unless they are gone.
    pub records: usize,
    /// How many events it gave rise to.
    pub events: usize,
    /// The function that was invoked, or should have been; none if nobody knows.
    pub function: Option<String>,
    /// Where it was read: object, file or message, with the line.
    pub from: String,
    /// Where in the bucket it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The Kinesis record's, where it is known.
    pub sequence_number: Option<String>,
    /// The place within an aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_sequence_number: Option<u64>,
}

impl Told {
    /// The same of a record whatever is in it.
    pub fn of(held: &Held, function: &str, outcome: Became, reason: Option<String>) -> Self {
        let record = &held.record;
        Self {
            outcome,
            reason,
            records: 1,
            events: 0,
            function: Some(function.to_owned()),
            from: held.read_from.clone(),
            origin: held.origin.clone(),
            sequence_number: record.sequence_number.clone(),
            sub_sequence_number: record.sub_sequence_number,
        }
    }

    /// Something that never got as far as a function.
    pub fn lost(outcome: Became, function: Option<String>, from: &str, reason: String) -> Self {
        Self {
            outcome,
            reason: Some(reason),
            records: 1,
            events: 0,
            function,
            from: from.to_owned(),
            origin: None,
            sequence_number: None,
            sub_sequence_number: None,
        }
    }
}

/// What `answer` tells of the records of a call. A record of which nothing is told has failed, unless there is nothing in
/// it.
pub fn told(call: &[Ready], function: &str, answer: &[u8]) -> Vec<Told> {
    match serde_json::from_slice(answer) {
        Ok(Answer::Redrive(report)) => call
            .iter()
            .enumerate()
            .flat_map(|(index, ready)| of_record(ready, function, index, &report.redriven))
            .collect(),
        Ok(Answer::Batch(response)) => call
            .iter()
            .map(|ready| of_batch(ready, function, &response))
            .collect(),
        Err(_) => failed(call, function, "the function's answer is no batch response"),
    }
}

/// None of the records of a call came back.
pub fn failed(call: &[Ready], function: &str, reason: &str) -> Vec<Told> {
    call.iter()
        .map(|ready| {
            Told::of(
                &ready.held,
                function,
                Became::Failed,
                Some(reason.to_owned()),
            )
        })
        .collect()
}

fn of_record(ready: &Ready, function: &str, index: usize, redriven: &[Redriven]) -> Vec<Told> {
    let found: Vec<Told> = redriven
        .iter()
        .filter(|one| one.record == index)
        .map(|one| Told {
            events: one.events,
            sequence_number: one.sequence_number.clone(),
            sub_sequence_number: one.sub_sequence_number,
            ..Told::of(
                &ready.held,
                function,
                one.outcome.into(),
                one.reason.clone(),
            )
        })
        .collect();
    match found.is_empty() {
        false => found,
        // An aggregate without records: done from the start, as the function counts it too.
        true if ready.user_records == 0 => {
            vec![Told::of(&ready.held, function, Became::Done, None)]
        }
        true => {
            let reason = "the function does not say what became of it".to_owned();
            vec![Told::of(
                &ready.held,
                function,
                Became::Failed,
                Some(reason),
            )]
        }
    }
}

/// An ordinary answer names the lowest record that is not done: of those from there on nothing is known.
fn of_batch(ready: &Ready, function: &str, response: &BatchResponse) -> Told {
    let number = |text: &str| text.parse::<SequenceNumber>().ok();
    let is_done = match response.checkpoint().map(number) {
        None => true,
        Some(checkpoint) => {
            let own = ready.held.record.sequence_number.as_deref();
            matches!((own.and_then(number), checkpoint), (Some(own), Some(lowest)) if own < lowest)
        }
    };
    match is_done {
        true => Told::of(&ready.held, function, Became::Done, None),
        false => {
            let reason = "at or behind the record at which the function stopped".to_owned();
            Told::of(&ready.held, function, Became::Failed, Some(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::redrive::held::tests::{empty_aggregate, parked};

    fn call() -> Vec<Ready> {
        [1, 2, 3].map(|line| parked(line).ready().unwrap()).into()
    }

    #[track_caller]
    fn check(answer: &Value, expected: &[(usize, Became, Option<&str>)]) {
        let told = told(&call(), "f", answer.to_string().as_bytes());
        let told: Vec<_> = told
            .iter()
            .map(|one| {
                let line = one.origin.as_ref().unwrap().line;
                (line, one.outcome, one.reason.as_deref())
            })
            .collect();
        assert_eq!(told, expected, "{answer}");
    }

    #[test]
    fn a_report_tells_of_each_record() {
        let one = |record: usize, outcome: &str| json!({"record": record, "sequenceNumber": "1", "outcome": outcome});
        let mut unreadable = one(1, "unreadable");
        unreadable["reason"] = json!("not-json");
        check(
            &json!({"batchItemFailures": [], "redriven": [one(0, "judged"), unreadable, one(2, "done")]}),
            &[
                (1, Became::Judged, None),
                (2, Became::Unreadable, Some("not-json")),
                (3, Became::Done, None),
            ],
        );
        let silent = Some("the function does not say what became of it");
        check(
            &json!({"batchItemFailures": [], "redriven": [one(0, "judged"), one(0, "failed")]}),
            &[
                (1, Became::Judged, None),
                (1, Became::Failed, None),
                (2, Became::Failed, silent),
                (3, Became::Failed, silent),
            ],
        );
    }

    /// The function has nothing to tell of it, and a record behind it need not come back for that to be done.
    #[test]
    fn an_aggregate_without_records_is_done() {
        let mut empty = parked(1);
        empty.record.data = empty_aggregate();
        let call = [empty.ready().unwrap(), parked(2).ready().unwrap()];
        let failed = json!({"record": 1, "sequenceNumber": "4952", "outcome": "failed"});
        for (failures, redriven) in [
            (json!([]), json!([])),
            (json!([{"itemIdentifier": "4952"}]), json!([failed])),
        ] {
            let answer = json!({"batchItemFailures": failures, "redriven": redriven});
            let told = told(&call, "f", answer.to_string().as_bytes());
            let outcomes: Vec<_> = told.iter().map(|one| one.outcome).collect();
            assert_eq!(outcomes, [Became::Done, Became::Failed], "{answer}");
        }
    }

    #[test]
    fn an_ordinary_answer_tells_where_the_function_stopped() {
        let all = |became, reason| [1, 2, 3].map(|line| (line, became, reason));
        let stopped = Some("at or behind the record at which the function stopped");
        let at = |number: &str| json!({"batchItemFailures": [{"itemIdentifier": number}]});
        check(&json!({"batchItemFailures": []}), &all(Became::Done, None));
        check(&at(""), &all(Became::Failed, stopped));
        check(
            &at("4952"),
            &[
                (1, Became::Done, None),
                (2, Became::Failed, stopped),
                (3, Became::Failed, stopped),
            ],
        );
        // Numbers, not texts.
        check(&at("10000"), &all(Became::Done, None));
    }

    #[test]
    fn what_is_no_answer_tells_nothing() {
        let reason = Some("the function's answer is no batch response");
        for answer in [json!(null), json!({"errorMessage": "x"}), json!("{}")] {
            check(
                &answer,
                &[1, 2, 3].map(|line| (line, Became::Failed, reason)),
            );
        }
    }
}
