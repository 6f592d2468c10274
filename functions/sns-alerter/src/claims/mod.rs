//! Claims in DynamoDB.
//!
//! One table with the key `claim` holds three kinds of items: a message's claim (`alert#<event>`,
//! `line-stop#<event>`) with its `status`, `owner` and `lease_until`, and `taken_over` where an earlier holder's lease ran
//! out; the last alert of a machine and rule (`cool-down#<rule>#<machine>`) with the reading's time `at` and the claim's
//! `owner`; and the marker of a clearing (`cleared#<episode>`).
//! The claim and what else must hold are decided in one transaction.
//!
//! A message that an earlier holder may have published is one until it is sent: `taken_over` stays, a release of it ends
//! the lease alone, and whoever is granted it is told so, even if the first answer was lost.

mod answer;
mod settle;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use lambda_function::aws::classify;
use quality_event::EventId;

use crate::claim::{ClaimError, Claimed, Claims, Gate, Request, Settlement, cleared_key};
use answer::{Answer, Held, answer, is_suppressed};

const CLAIMED: &str = "claimed";
const SENT: &str = "sent";
const SUPPRESSED: &str = "suppressed";

/// Which claims may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// One that nobody has held, or the owner's own: a repeated call finds its own work.
    Free,
    /// One whose holder's lease is over, or the owner's own.
    Expired,
}

impl Takes {
    fn condition(self) -> &'static str {
        match self {
            Self::Free => {
                "attribute_not_exists(#claim) OR (#status = :claimed AND #owner = :owner AND attribute_not_exists(#taken))"
            }
            Self::Expired => "#status = :claimed AND (#lease < :now OR #owner = :owner)",
        }
    }

    fn names(self) -> HashMap<String, String> {
        let of_both = [("#status", "status"), ("#owner", "owner")];
        let own = match self {
            Self::Free => &[("#claim", "claim"), ("#taken", "taken_over")][..],
            Self::Expired => &[("#lease", "lease_until")],
        };
        of_both
            .iter()
            .chain(own)
            .map(|&(name, attribute)| (name.to_owned(), attribute.to_owned()))
            .collect()
    }

    fn values(self, request: &Request) -> HashMap<String, AttributeValue> {
        let of_both = [
            (":claimed", text(CLAIMED)),
            (":owner", text(&request.owner)),
        ];
        let own = (self == Self::Expired).then(|| (":now", number(request.now_ms)));
        of_both
            .into_iter()
            .chain(own)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// [`Claims`] on Amazon DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoClaims {
    client: Client,
    table: String,
}

impl Claims for DynamoClaims {
    async fn claim(&self, request: &Request) -> Result<Claimed, ClaimError> {
        if let Gate::OpeningTold { opening, cleared } = &request.gate {
            // Before anything else: from here on, no line stop of this episode is granted.
            if let Some(episode) = cleared {
                self.mark_cleared(episode, request.expires_at).await?;
            }
            if self.is_suppressed(opening).await? {
                let reason = "opening-suppressed";
                return match self.suppress(request, Takes::Free, reason).await? {
                    Attempt::Decided(claimed) => Ok(claimed),
                    Attempt::Expired => {
                        let second = self.suppress(request, Takes::Expired, reason).await?;
                        Ok(second.or_live())
                    }
                };
            }
        }
        match self.attempt(request, Takes::Free).await? {
            Attempt::Decided(claimed) => Ok(claimed),
            Attempt::Expired => match self.attempt(request, Takes::Expired).await?.or_live() {
                Claimed::Granted => Ok(Claimed::TakenOver),
                claimed => Ok(claimed),
            },
        }
    }

    async fn settle(&self, request: &Request, settlement: Settlement) -> Result<(), ClaimError> {
        match settlement {
            Settlement::Sent => self.mark_sent(request).await,
            Settlement::Released => self.release(request).await,
        }
    }
}

impl DynamoClaims {
    /// The table `table`, reached by `client`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The second half of the transaction.
    fn gate(
        &self,
        request: &Request,
        takes: Takes,
    ) -> Result<Option<TransactWriteItem>, ClaimError> {
        let built = match &request.gate {
            Gate::CoolDown {
                key,
                episode,
                time_ms,
                cool_down_ms,
            } => Update::builder()
                .table_name(&self.table)
                .key("claim", text(key))
                .condition_expression(
                    "attribute_not_exists(#claim) OR #episode = :episode OR #at <= :before",
                )
                .update_expression(
                    "SET #at = :at, #episode = :episode, #owner = :owner, #taken = :taken, \
                     #expires = :expires",
                )
                .expression_attribute_names("#claim", "claim")
                .expression_attribute_names("#episode", "episode")
                .expression_attribute_names("#at", "at")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_names("#expires", "expires_at")
                .expression_attribute_names("#taken", "taken_over")
                .expression_attribute_values(":at", number(*time_ms))
                .expression_attribute_values(
                    ":before",
                    number(time_ms.saturating_sub(*cool_down_ms)),
                )
                .expression_attribute_values(":episode", text(episode.as_str()))
                .expression_attribute_values(":owner", text(&request.owner))
                .expression_attribute_values(":expires", number(request.expires_at))
                .expression_attribute_values(
                    ":taken",
                    AttributeValue::Bool(takes == Takes::Expired),
                )
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .build()
                .map(|update| TransactWriteItem::builder().update(update).build()),
            Gate::NotCleared { episode } => ConditionCheck::builder()
                .table_name(&self.table)
                .key("claim", text(&cleared_key(episode)))
                .condition_expression("attribute_not_exists(#claim)")
                .expression_attribute_names("#claim", "claim")
                .build()
                .map(|check| TransactWriteItem::builder().condition_check(check).build()),
            Gate::OpeningTold { .. } | Gate::Open => return Ok(None),
        };
        built.map(Some).map_err(|error| ClaimError {
            what: "cannot write a claim",
            passing: false,
            cause: error.into(),
        })
    }

    /// Claims with what must hold besides, or notes that the message is never to be published.
    async fn attempt(&self, request: &Request, takes: Takes) -> Result<Attempt, ClaimError> {
        let last = match self
            .transact(request, takes, self.gate(request, takes)?)
            .await?
        {
            Answer::Granted => return Ok(Attempt::Decided(Claimed::Granted)),
            Answer::Claim(held) => return Ok(held.into()),
            Answer::Gate(item) => {
                item.and_then(|item| item.get("at")?.as_n().ok()?.parse::<i64>().ok())
            }
        };
        match &request.gate {
            // An alert that comes late and lies clear of the last one stands outside its cool-down, and leaves it.
            Gate::CoolDown {
                time_ms,
                cool_down_ms,
                ..
            } if last.is_some_and(|at| at >= time_ms.saturating_add(*cool_down_ms)) => {
                match self.transact(request, takes, None).await? {
                    Answer::Granted => Ok(Attempt::Decided(Claimed::Granted)),
                    Answer::Claim(held) => Ok(held.into()),
                    Answer::Gate(_) => Ok(Attempt::Decided(Claimed::Live)),
                }
            }
            Gate::CoolDown { .. } => self.suppress(request, takes, "cool-down").await,
            Gate::NotCleared { .. } => self.suppress(request, takes, "already-cleared").await,
            // Neither sends a second half that could fail.
            Gate::OpeningTold { .. } | Gate::Open => Ok(Attempt::Decided(Claimed::Live)),
        }
    }

    async fn transact(
        &self,
        request: &Request,
        takes: Takes,
        gate: Option<TransactWriteItem>,
    ) -> Result<Answer, ClaimError> {
        let what = "cannot claim a message";
        let taken_over = (takes == Takes::Expired).then_some(AttributeValue::Bool(true));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(taken_over.map(|taken| HashMap::from([("taken_over".to_owned(), taken)])))
            .item("claim", text(&request.key))
            .item("status", text(CLAIMED))
            .item("owner", text(&request.owner))
            .item("lease_until", number(request.lease_until_ms))
            .item("expires_at", number(request.expires_at))
            .condition_expression(takes.condition())
            .set_expression_attribute_names(Some(takes.names()))
            .set_expression_attribute_values(Some(takes.values(request)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| ClaimError {
                what,
                passing: false,
                cause: error.into(),
            })?;
        let claim = TransactWriteItem::builder().put(put).build();
        let items: Vec<_> = std::iter::once(claim).chain(gate).collect();
        match self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
        {
            Ok(_) => Ok(Answer::Granted),
            Err(error) => match error
                .as_service_error()
                .and_then(|error| answer(error, request))
            {
                Some(answer) => Ok(answer),
                None => {
                    // A transaction that met another one on its items is as good as never sent.
                    let conflict = error.code() == Some("TransactionCanceledException");
                    let passing = conflict || classify(&error).is_worth_retrying();
                    Err(ClaimError {
                        what,
                        passing,
                        cause: error.into(),
                    })
                }
            },
        }
    }

    /// Notes that the message is never to be published, unless someone has claimed it meanwhile.
    async fn suppress(
        &self,
        request: &Request,
        takes: Takes,
        reason: &'static str,
    ) -> Result<Attempt, ClaimError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("claim", text(&request.key))
            .item("status", text(SUPPRESSED))
            .item("reason", text(reason))
            .item("expires_at", number(request.expires_at))
            .condition_expression(takes.condition())
            .set_expression_attribute_names(Some(takes.names()))
            .set_expression_attribute_values(Some(takes.values(request)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Attempt::Decided(Claimed::Suppressed(reason))),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(held)) => {
                    Ok(Held::against(held.item(), request).into())
                }
                _ => Err(call_error("cannot suppress a message", error)),
            },
        }
    }

    async fn mark_cleared(&self, episode: &EventId, expires_at: i64) -> Result<(), ClaimError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("claim", text(&cleared_key(episode)))
            .item("expires_at", number(expires_at));
        put.send()
            .await
            .map(drop)
            .map_err(|error| call_error("cannot mark an episode as cleared", error))
    }

    async fn is_suppressed(&self, key: &str) -> Result<bool, ClaimError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("claim", text(key))
            .consistent_read(true);
        let output = get
            .send()
            .await
            .map_err(|error| call_error("cannot read an opening's claim", error))?;
        Ok(is_suppressed(output.item()))
    }
}

/// How one attempt at a claim ended.
enum Attempt {
    Decided(Claimed),
    /// Its holder's lease is over, or the owner itself has taken it over.
    Expired,
}

impl Attempt {
    /// With whom else it took over meanwhile as the holder.
    fn or_live(self) -> Claimed {
        match self {
            Self::Decided(claimed) => claimed,
            Self::Expired => Claimed::Live,
        }
    }
}

impl From<Held> for Attempt {
    fn from(held: Held) -> Self {
        match held {
            Held::Sent | Held::Suppressed => Self::Decided(Claimed::Settled),
            Held::Live => Self::Decided(Claimed::Live),
            Held::Expired => Self::Expired,
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn call_error<E>(what: &'static str, error: SdkError<E, HttpResponse>) -> ClaimError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    ClaimError {
        what,
        passing: classify(&error).is_worth_retrying(),
        cause: error.into(),
    }
}
