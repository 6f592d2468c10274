//! What DynamoDB's refusals say. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{SENT, SUPPRESSED};

type Attributes = HashMap<String, AttributeValue>;

/// What became of a transaction of a claim and, behind it, a gate.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Granted,
    /// The claim is not free.
    Claim(Held),
    /// The gate does not hold; the item that stands against it, where the gate asked for it.
    Gate(Option<Attributes>),
}

/// The standing of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Sent,
    Suppressed,
    Live,
    /// Claimed by someone whose lease is over.
    Expired,
}

impl Held {
    pub(super) fn by(item: Option<&Attributes>, now_ms: i64) -> Self {
        let text = |name: &str| {
            item.and_then(|item| item.get(name)?.as_s().ok())
                .map(String::as_str)
        };
        let lease = item.and_then(|item| item.get("lease_until")?.as_n().ok()?.parse::<i64>().ok());
        match text("status") {
            Some(SENT) => Self::Sent,
            Some(SUPPRESSED) => Self::Suppressed,
            _ if lease.is_some_and(|until_ms| until_ms < now_ms) => Self::Expired,
            _ => Self::Live,
        }
    }
}

/// The answer that a cancelled transaction gives; none if it failed for another reason than its conditions.
pub(super) fn answer(error: &TransactWriteItemsError, now_ms: i64) -> Option<Answer> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let failed = |index: usize| {
        cancelled
            .cancellation_reasons()
            .get(index)
            .filter(|reason| reason.code() == Some("ConditionalCheckFailed"))
    };
    if let Some(reason) = failed(0) {
        return Some(Answer::Claim(Held::by(reason.item(), now_ms)));
    }
    failed(1).map(|reason| Answer::Gate(reason.item().cloned()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;

    fn item(status: &str) -> Attributes {
        HashMap::from([("status".to_owned(), AttributeValue::S(status.to_owned()))])
    }

    #[track_caller]
    fn check(reasons: &[(&str, Option<Attributes>)], expected: Option<Answer>) {
        let reasons = reasons.iter().map(|(code, item)| {
            CancellationReason::builder()
                .code(*code)
                .set_item(item.clone())
                .build()
        });
        let cancelled = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(reasons.collect()));
        let error = TransactWriteItemsError::TransactionCanceledException(cancelled.build());
        assert_eq!(answer(&error, 1_000), expected);
    }

    #[test]
    fn a_lease_that_is_over_is_told_from_a_live_one() {
        for (until_ms, expected) in [("999", Held::Expired), ("1000", Held::Live)] {
            let mut item = item("claimed");
            item.insert(
                "lease_until".to_owned(),
                AttributeValue::N(until_ms.to_owned()),
            );
            assert_eq!(Held::by(Some(&item), 1_000), expected);
            item.insert("status".to_owned(), AttributeValue::S("sent".to_owned()));
            assert_eq!(Held::by(Some(&item), 1_000), Held::Sent);
        }
    }

    #[test]
    fn the_claim_counts_before_the_gate() {
        let (failed, fine) = ("ConditionalCheckFailed", "None");
        check(
            &[(failed, Some(item("sent"))), (failed, None)],
            Some(Answer::Claim(Held::Sent)),
        );
        check(
            &[(failed, Some(item("suppressed"))), (fine, None)],
            Some(Answer::Claim(Held::Suppressed)),
        );
        check(
            &[(failed, Some(item("claimed")))],
            Some(Answer::Claim(Held::Live)),
        );
        check(&[(failed, None)], Some(Answer::Claim(Held::Live)));
        check(
            &[(fine, None), (failed, Some(item("x")))],
            Some(Answer::Gate(Some(item("x")))),
        );
        check(&[(fine, None), ("TransactionConflict", None)], None);
        check(&[], None);
    }
}
