//! What DynamoDB's refusals say. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{SENT, SUPPRESSED};
use crate::claim::Request;

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
    /// Claimed by someone whose lease is over, or taken over from such a one by whoever asks.
    Expired,
}

impl Held {
    pub(super) fn against(item: Option<&Attributes>, request: &Request) -> Self {
        let lease = item.and_then(|item| item.get("lease_until")?.as_n().ok()?.parse::<i64>().ok());
        let is_own = || {
            text(item, "owner") == Some(request.owner.as_str())
                && item.is_some_and(|item| item.contains_key("taken_over"))
        };
        match text(item, "status") {
            Some(SENT) => Self::Sent,
            Some(SUPPRESSED) => Self::Suppressed,
            _ if lease.is_some_and(|until_ms| until_ms < request.now_ms) || is_own() => {
                Self::Expired
            }
            _ => Self::Live,
        }
    }
}

/// Whether a message is never to be published.
pub(super) fn is_suppressed(item: Option<&Attributes>) -> bool {
    text(item, "status") == Some(SUPPRESSED)
}

fn text<'a>(item: Option<&'a Attributes>, name: &str) -> Option<&'a str> {
    item?.get(name)?.as_s().ok().map(String::as_str)
}

/// The answer that a cancelled transaction gives; none if it failed for another reason than its conditions.
pub(super) fn answer(error: &TransactWriteItemsError, request: &Request) -> Option<Answer> {
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
        return Some(Answer::Claim(Held::against(reason.item(), request)));
    }
    failed(1).map(|reason| Answer::Gate(reason.item().cloned()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;
    use crate::claim::Gate;

    fn request() -> Request {
        Request {
            key: "alert#1".to_owned(),
            owner: "own".to_owned(),
            now_ms: 1_000,
            lease_until_ms: 2_000,
            expires_at: 3,
            gate: Gate::Open,
        }
    }

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
        assert_eq!(answer(&error, &request()), expected);
    }

    #[test]
    fn a_lease_that_is_over_is_told_from_a_live_one() {
        for (until_ms, expected) in [("999", Held::Expired), ("1000", Held::Live)] {
            let mut item = item("claimed");
            item.insert(
                "lease_until".to_owned(),
                AttributeValue::N(until_ms.to_owned()),
            );
            assert_eq!(Held::against(Some(&item), &request()), expected);
            item.insert("status".to_owned(), AttributeValue::S("sent".to_owned()));
            assert_eq!(Held::against(Some(&item), &request()), Held::Sent);
        }
    }

    #[test]
    fn what_the_owner_itself_took_over_is_taken_over_again() {
        for (owner, expected) in [("own", Held::Expired), ("other", Held::Live)] {
            let mut item = item("claimed");
            item.extend([
                (
                    "lease_until".to_owned(),
                    AttributeValue::N("2000".to_owned()),
                ),
                ("owner".to_owned(), AttributeValue::S(owner.to_owned())),
            ]);
            assert_eq!(Held::against(Some(&item), &request()), Held::Live);
            item.insert("taken_over".to_owned(), AttributeValue::Bool(true));
            assert_eq!(Held::against(Some(&item), &request()), expected);
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
