//! What DynamoDB's refusals say. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{SENT, SUPPRESSED};
use crate::claim::Claimed;

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
}

impl Held {
    pub(super) fn by(item: Option<&Attributes>) -> Self {
        match item
            .and_then(|item| item.get("status")?.as_s().ok())
            .map(String::as_str)
        {
            Some(SENT) => Self::Sent,
            Some(SUPPRESSED) => Self::Suppressed,
            _ => Self::Live,
        }
    }

    pub(super) fn claimed(self) -> Claimed {
        match self {
            Self::Sent | Self::Suppressed => Claimed::Settled,
            Self::Live => Claimed::Live,
        }
    }
}

/// The answer that a cancelled transaction gives; none if it failed for another reason than its conditions.
pub(super) fn answer(error: &TransactWriteItemsError) -> Option<Answer> {
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
        return Some(Answer::Claim(Held::by(reason.item())));
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
        assert_eq!(answer(&error), expected);
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
