//! Claims in DynamoDB.
//!
//! One table with the key `claim` holds three kinds of items: a message's claim (`alert#<event>`,
//! `line-stop#<event>`) with its `status`, `owner` and `lease_until`; the last alert of a machine and rule
//! (`cool-down#<rule>#<machine>`) with the reading's time `at`; and the marker of a clearing (`cleared#<episode>`).
//! The claim and what else must hold are decided in one transaction.

mod answer;

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
use answer::{Answer, Held, answer};

const CLAIMED: &str = "claimed";
const SENT: &str = "sent";
const SUPPRESSED: &str = "suppressed";

/// A claim may be taken that nobody holds, whose lease is over, or that is the owner's own.
const FREE: &str =
    "attribute_not_exists(#claim) OR (#status = :claimed AND (#lease < :now OR #owner = :owner))";

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
                return self.suppress(request, "opening-suppressed").await;
            }
        }
        match self.transact(request, self.gate(request)?).await? {
            Answer::Granted => Ok(Claimed::Granted),
            Answer::Claim(held) => Ok(held.claimed()),
            Answer::Gate(item) => match &request.gate {
                Gate::CoolDown {
                    time_ms,
                    cool_down_ms,
                    ..
                } => {
                    let last =
                        item.and_then(|item| item.get("at")?.as_n().ok()?.parse::<i64>().ok());
                    // An alert that comes late and lies clear of the last one stands outside its cool-down.
                    match last {
                        Some(at) if at >= time_ms.saturating_add(*cool_down_ms) => {
                            let claimed = self.transact(request, None).await?;
                            Ok(match claimed {
                                Answer::Granted | Answer::Gate(_) => Claimed::Granted,
                                Answer::Claim(held) => held.claimed(),
                            })
                        }
                        _ => self.suppress(request, "cool-down").await,
                    }
                }
                Gate::NotCleared { .. } => self.suppress(request, "already-cleared").await,
                // Neither sends a second half that could fail.
                Gate::OpeningTold { .. } | Gate::Open => Ok(Claimed::Live),
            },
        }
    }

    async fn settle(&self, request: &Request, settlement: Settlement) -> Result<(), ClaimError> {
        const OWN: &str = "#status = :claimed AND #owner = :owner";
        if settlement == Settlement::Released {
            let delete = self
                .client
                .delete_item()
                .table_name(&self.table)
                .key("claim", text(&request.key))
                .condition_expression(OWN)
                .expression_attribute_names("#status", "status")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":claimed", text(CLAIMED))
                .expression_attribute_values(":owner", text(&request.owner));
            return settled(delete.send().await);
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("claim", text(&request.key))
            .update_expression("SET #status = :status REMOVE #lease")
            .condition_expression(OWN)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#lease", "lease_until")
            .expression_attribute_values(":status", text(SENT))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(&request.owner));
        settled(update.send().await)
    }
}

impl DynamoClaims {
    /// The table `table`, reached by `client`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The second half of the transaction.
    fn gate(&self, request: &Request) -> Result<Option<TransactWriteItem>, ClaimError> {
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
                .update_expression("SET #at = :at, #episode = :episode, #expires = :expires")
                .expression_attribute_names("#claim", "claim")
                .expression_attribute_names("#episode", "episode")
                .expression_attribute_names("#at", "at")
                .expression_attribute_names("#expires", "expires_at")
                .expression_attribute_values(":at", number(*time_ms))
                .expression_attribute_values(
                    ":before",
                    number(time_ms.saturating_sub(*cool_down_ms)),
                )
                .expression_attribute_values(":episode", text(episode.as_str()))
                .expression_attribute_values(":expires", number(request.expires_at))
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

    async fn transact(
        &self,
        request: &Request,
        gate: Option<TransactWriteItem>,
    ) -> Result<Answer, ClaimError> {
        let what = "cannot claim a message";
        let put = Put::builder()
            .table_name(&self.table)
            .item("claim", text(&request.key))
            .item("status", text(CLAIMED))
            .item("owner", text(&request.owner))
            .item("lease_until", number(request.lease_until_ms))
            .item("expires_at", number(request.expires_at))
            .condition_expression(FREE)
            .set_expression_attribute_names(Some(free_names()))
            .set_expression_attribute_values(Some(free_values(request)))
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
            Err(error) => match error.as_service_error().and_then(answer) {
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
        reason: &'static str,
    ) -> Result<Claimed, ClaimError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("claim", text(&request.key))
            .item("status", text(SUPPRESSED))
            .item("reason", text(reason))
            .item("expires_at", number(request.expires_at))
            .condition_expression(FREE)
            .set_expression_attribute_names(Some(free_names()))
            .set_expression_attribute_values(Some(free_values(request)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Claimed::Suppressed(reason)),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(held)) => {
                    Ok(Held::by(held.item()).claimed())
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
        Ok(Held::by(output.item()) == Held::Suppressed)
    }
}

fn free_names() -> HashMap<String, String> {
    let names = [
        ("#claim", "claim"),
        ("#status", "status"),
        ("#lease", "lease_until"),
        ("#owner", "owner"),
    ];
    names
        .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
        .into()
}

fn free_values(request: &Request) -> HashMap<String, AttributeValue> {
    let values = [
        (":claimed", text(CLAIMED)),
        (":now", number(request.now_ms)),
        (":owner", text(&request.owner)),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
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

/// A repeated settlement finds its own work done; a lease that ran out has another holder by now.
fn settled<T, E>(result: Result<T, SdkError<E, HttpResponse>>) -> Result<(), ClaimError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
        Err(error) => Err(call_error("cannot settle a claim", error)),
    }
}
