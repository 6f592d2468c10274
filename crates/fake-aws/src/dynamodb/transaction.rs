//! TransactWriteItems: all or nothing, with a reason for each item if nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::value::{Item, item_size, item_to_json};
use super::write::{Change, Checked, Delete, Failure, OnFailure, Put, Update};
use super::{Members, Tables, key_text, part_text, reply, validation};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply, json};
use crate::world::Services;

const MAX_ITEMS: usize = 100;
/// All items of a transaction together, in the bytes that DynamoDB counts.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a token makes a transaction idempotent.
const TOKEN_MS: i64 = 10 * 60 * 1000;
const MAX_TOKEN_CHARS: usize = 36;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TransactWriteItems {
    /// Kept as it came: a token is bound to it.
    transact_items: Arc<Vec<Json>>,
    client_request_token: Option<String>,
    #[serde(skip)]
    actions: OnceLock<Result<Vec<Action>, Refusal>>,
}

/// A transaction that has been done under a token.
#[derive(Debug)]
pub(super) struct Seen {
    at_ms: i64,
    items: Arc<Vec<Json>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
enum Action {
    Put(Put),
    Update(Update),
    Delete(Delete),
    ConditionCheck(Delete),
}

impl Action {
    fn table(&self) -> &str {
        match self {
            Self::Put(put) => &put.table_name,
            Self::Update(update) => &update.table_name,
            Self::Delete(delete) | Self::ConditionCheck(delete) => &delete.table_name,
        }
    }

    fn members(&self) -> &Members {
        match self {
            Self::Put(put) => &put.item,
            Self::Update(update) => &update.key,
            Self::Delete(delete) | Self::ConditionCheck(delete) => &delete.key,
        }
    }

    fn on_failure(&self) -> OnFailure {
        match self {
            Self::Put(put) => put.return_values_on_condition_check_failure,
            Self::Update(update) => update.return_values_on_condition_check_failure,
            Self::Delete(delete) | Self::ConditionCheck(delete) => {
                delete.return_values_on_condition_check_failure
            }
        }
    }

    fn check(&self, tables: &Tables) -> Result<Checked, Refusal> {
        let table = tables.named(self.table())?;
        match self {
            Self::Put(put) => put.check(table),
            Self::Update(update) => update.check(table),
            Self::Delete(delete) => delete.check(table, Change::Delete),
            Self::ConditionCheck(check) if check.condition_expression.is_none() => Err(validation(
                "The expression can not be empty; ConditionExpression must not be null",
            )),
            Self::ConditionCheck(check) => check.check(table, Change::Nothing),
        }
    }
}

impl TransactWriteItems {
    fn actions(&self) -> Result<&[Action], &Refusal> {
        let action =
            |wire: &Json| Action::deserialize(wire).map_err(|fault| json::malformed(&fault));
        self.actions
            .get_or_init(|| self.transact_items.iter().map(action).collect())
            .as_deref()
    }

    /// Whether the token has been seen with this very transaction; with another one it is refused.
    fn is_repeated(&self, tables: &Tables, now_ms: i64) -> Result<bool, Refusal> {
        let Some(token) = &self.client_request_token else {
            return Ok(false);
        };
        if token.is_empty() || token.chars().count() > MAX_TOKEN_CHARS {
            return Err(validation(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member \
                 must have length less than or equal to 36",
            ));
        }
        match tables.tokens.get(token) {
            Some(seen) if now_ms - seen.at_ms > TOKEN_MS => Ok(false),
            Some(seen) if seen.items != self.transact_items => Err(Refusal::new(
                "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a \
                 client token with different requests, unless the requests are identical",
            )),
            seen => Ok(seen.is_some()),
        }
    }
}

impl Operation for TransactWriteItems {
    fn resource(&self) -> String {
        let actions = self.actions().unwrap_or_default();
        let tables: BTreeSet<&str> = actions.iter().map(Action::table).collect();
        tables.into_iter().collect::<Vec<_>>().join(",")
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        let part = |action: &Action| {
            let key = key_text(services.tables.get(action.table()), action.members());
            Part {
                key,
                text: part_text([action.members().clone()]),
            }
        };
        self.actions()
            .unwrap_or_default()
            .iter()
            .map(part)
            .collect()
    }

    /// An item held back is in conflict with another transaction, which cancels this one.
    fn answers_in_part(&self) -> bool {
        true
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let tables = &mut services.tables;
        let actions = self.actions().map_err(Refusal::clone)?;
        if actions.is_empty() || actions.len() > MAX_ITEMS {
            return Err(validation(format!(
                "1 validation error detected: Value '[{} items]' at 'transactItems' failed to satisfy constraint: \
                 Member must have length less than or equal to {MAX_ITEMS}, Member must have length greater than or \
                 equal to 1",
                actions.len()
            )));
        }
        let checked = actions
            .iter()
            .map(|action| action.check(tables))
            .collect::<Result<Vec<_>, _>>()?;
        let targets: BTreeSet<_> = actions
            .iter()
            .zip(&checked)
            .map(|(action, checked)| (action.table(), &checked.key))
            .collect();
        if targets.len() < actions.len() {
            return Err(validation(
                "Transaction request cannot include multiple operations on one item",
            ));
        }
        if self.is_repeated(tables, context.now_ms)? {
            return Ok(reply(Ok(json!({}))));
        }
        let outcomes = decide(tables, actions, &checked, context)?;
        if outcomes.iter().flatten().map(item_size).sum::<usize>() > MAX_BYTES {
            return Err(validation(
                "The aggregate size of the items in the transaction cannot exceed 4 MB",
            ));
        }
        for ((action, checked), after) in actions.iter().zip(checked).zip(outcomes) {
            if !matches!(checked.change, Change::Nothing) {
                tables.named_mut(action.table())?.write(checked.key, after);
            }
        }
        if let Some(token) = &self.client_request_token {
            let seen = Seen {
                at_ms: context.now_ms,
                items: self.transact_items.clone(),
            };
            tables.tokens.insert(token.clone(), seen);
        }
        Ok(reply(Ok(json!({}))))
    }
}

/// Each item after the transaction, or the reasons for which it is cancelled.
fn decide(
    tables: &Tables,
    actions: &[Action],
    checked: &[Checked],
    context: &Context,
) -> Result<Vec<Option<Item>>, Refusal> {
    let (mut outcomes, mut reasons) = (Vec::new(), Vec::new());
    for (place, (action, checked)) in actions.iter().zip(checked).enumerate() {
        let table = tables.named(action.table())?;
        if context.held_back.holds(place) {
            let conflict = ("TransactionConflict", "Transaction is ongoing for the item");
            let (code, message) = context.held_back.as_error.unwrap_or(conflict);
            reasons.push(json!({"Code": code, "Message": message}));
            continue;
        }
        match checked.outcome(table) {
            Ok(after) => {
                outcomes.push(after);
                reasons.push(json!({"Code": "None"}));
            }
            Err(Failure::Condition) => {
                let mut reason = json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"});
                if let (OnFailure::AllOld, Some(item)) =
                    (action.on_failure(), table.get(&checked.key))
                {
                    reason["Item"] = item_to_json(item);
                }
                reasons.push(reason);
            }
            Err(Failure::Invalid(refusal)) => {
                reasons.push(json!({"Code": "ValidationError", "Message": refusal.message}));
            }
        }
    }
    if outcomes.len() == actions.len() {
        return Ok(outcomes);
    }
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Err(Refusal::new("TransactionCanceledException", message)
        .with_member("CancellationReasons", reasons.into()))
}
