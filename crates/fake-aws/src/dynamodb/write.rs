//! PutItem, UpdateItem and DeleteItem: one item, one condition, one change. Transactions are made of the same.

use serde::Deserialize;
use serde_json::json;

use super::expression::condition::Condition;
use super::expression::{Placeholders, update};
use super::table::{Key, Table, check_size};
use super::value::{Item, item_from_json, item_to_json};
use super::{Members, Names, Values, key_text, part_text, reply, validation};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

/// A put, alone or in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Put {
    pub(super) table_name: String,
    pub(super) item: Members,
    condition_expression: Option<String>,
    expression_attribute_names: Names,
    expression_attribute_values: Values,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    pub(super) return_values_on_condition_check_failure: OnFailure,
}

/// An update, alone or in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Update {
    pub(super) table_name: String,
    pub(super) key: Members,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Names,
    expression_attribute_values: Values,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    pub(super) return_values_on_condition_check_failure: OnFailure,
}

/// A deletion, alone or in a transaction, whose condition checks look the same.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delete {
    pub(super) table_name: String,
    pub(super) key: Members,
    pub(super) condition_expression: Option<String>,
    expression_attribute_names: Names,
    expression_attribute_values: Values,
    #[serde(default)]
    return_values: ReturnValues,
    #[serde(default)]
    pub(super) return_values_on_condition_check_failure: OnFailure,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReturnValues {
    #[default]
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

/// Whether the item comes with a failed condition.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OnFailure {
    #[default]
    None,
    AllOld,
}

/// A write whose request holds: what remains depends on the item that is there.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) key: Key,
    condition: Option<Condition>,
    pub(super) change: Change,
}

#[derive(Debug)]
pub(super) enum Change {
    Put(Item),
    /// The key's attributes, with which an absent item begins, and what is done to it.
    Update(Item, Option<update::Update>),
    Delete,
    /// A transaction's condition check.
    Nothing,
}

/// Why a write does not happen.
#[derive(Debug)]
pub(super) enum Failure {
    Condition,
    Invalid(Refusal),
}

impl Put {
    pub(super) fn check(&self, table: &Table) -> Result<Checked, Refusal> {
        let source = self.condition_expression.as_deref();
        let mut placeholders = Placeholders::new(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_deref(),
            source.is_some(),
        )?;
        let condition = condition(source, &mut placeholders)?;
        placeholders.finish()?;
        let item = item_from_json(&self.item)?;
        let key = table.checked_key_of(&item)?;
        check_size(&item, "Item size has exceeded the maximum allowed size")?;
        Ok(Checked {
            key,
            condition,
            change: Change::Put(item),
        })
    }
}

impl Update {
    pub(super) fn check(&self, table: &Table) -> Result<Checked, Refusal> {
        let sources = (
            self.update_expression.as_deref(),
            self.condition_expression.as_deref(),
        );
        let mut placeholders = Placeholders::new(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_deref(),
            sources != (None, None),
        )?;
        let update = sources
            .0
            .map(|source| update::Update::parse(source, &mut placeholders, &table.schema))
            .transpose()?;
        let condition = condition(sources.1, &mut placeholders)?;
        placeholders.finish()?;
        let attributes = item_from_json(&self.key)?;
        let key = table.checked_key(&attributes)?;
        Ok(Checked {
            key,
            condition,
            change: Change::Update(attributes, update),
        })
    }
}

impl Delete {
    pub(super) fn check(&self, table: &Table, change: Change) -> Result<Checked, Refusal> {
        let source = self.condition_expression.as_deref();
        let mut placeholders = Placeholders::new(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_deref(),
            source.is_some(),
        )?;
        let condition = condition(source, &mut placeholders)?;
        placeholders.finish()?;
        let key = table.checked_key(&item_from_json(&self.key)?)?;
        Ok(Checked {
            key,
            condition,
            change,
        })
    }
}

impl Checked {
    /// The item after the write; `None`: there is none.
    pub(super) fn outcome(&self, table: &Table) -> Result<Option<Item>, Failure> {
        let before = table.get(&self.key);
        let absent = Item::new();
        if self
            .condition
            .as_ref()
            .is_some_and(|condition| !condition.holds(before.unwrap_or(&absent)))
        {
            return Err(Failure::Condition);
        }
        match &self.change {
            Change::Put(item) => Ok(Some(item.clone())),
            Change::Delete => Ok(None),
            Change::Nothing => Ok(before.cloned()),
            Change::Update(key, update) => {
                let before = before.unwrap_or(key);
                let Some(update) = update else {
                    return Ok(Some(before.clone()));
                };
                let after = update.apply(before).map_err(Failure::Invalid)?;
                table.checked_key_of(&after).map_err(Failure::Invalid)?;
                check_size(
                    &after,
                    "Item size to update has exceeded the maximum allowed size",
                )
                .map_err(Failure::Invalid)?;
                Ok(Some(after))
            }
        }
    }
}

fn condition(
    source: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<Condition>, Refusal> {
    source
        .map(|source| Condition::parse("ConditionExpression", source, placeholders))
        .transpose()
}

/// Writes one item, or says why not; gives it as it was and as it is.
fn write(table: &mut Table, checked: Checked, on_failure: OnFailure) -> Result<Written, Refusal> {
    let after = checked.outcome(table).map_err(|failure| match failure {
        Failure::Condition => failed_condition(table.get(&checked.key), on_failure),
        Failure::Invalid(refusal) => refusal,
    })?;
    let Checked { key, change, .. } = checked;
    let before = table.write(key, after.clone());
    Ok(Written {
        before,
        after,
        change,
    })
}

struct Written {
    before: Option<Item>,
    after: Option<Item>,
    change: Change,
}

fn failed_condition(item: Option<&Item>, on_failure: OnFailure) -> Refusal {
    let refusal = Refusal::new(
        "ConditionalCheckFailedException",
        "The conditional request failed",
    );
    match item {
        Some(item) if on_failure == OnFailure::AllOld => {
            refusal.with_member("Item", item_to_json(item))
        }
        _ => refusal,
    }
}

impl Written {
    fn reply(self, wanted: ReturnValues) -> Result<Reply, Refusal> {
        let Self {
            before,
            after,
            change,
        } = self;
        let updated = |item: Option<Item>| match &change {
            Change::Update(_, Some(update)) => {
                let names = update.attributes();
                item.map(|item| {
                    item.into_iter()
                        .filter(|(name, _)| names.contains(name.as_str()))
                        .collect()
                })
            }
            _ => None,
        };
        let attributes: Option<Item> = match wanted {
            ReturnValues::None => None,
            ReturnValues::AllOld => before,
            ReturnValues::AllNew => after,
            ReturnValues::UpdatedOld => updated(before),
            ReturnValues::UpdatedNew => updated(after),
        };
        Ok(reply(Ok(
            match attributes.filter(|item| !item.is_empty()) {
                None => json!({}),
                Some(attributes) => json!({"Attributes": item_to_json(&attributes)}),
            },
        )))
    }
}

/// Put and Delete answer what was there, or nothing.
fn only_old(wanted: ReturnValues) -> Result<ReturnValues, Refusal> {
    match wanted {
        ReturnValues::None | ReturnValues::AllOld => Ok(wanted),
        _ => Err(validation("Return values set to invalid value")),
    }
}

fn one_part(services: &Services, table: &str, members: &Members) -> Vec<Part> {
    let key = key_text(services.tables.get(table), members);
    vec![Part {
        key,
        text: part_text([members.clone()]),
    }]
}

impl Operation for Put {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        one_part(services, &self.table_name, &self.item)
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let wanted = only_old(self.return_values)?;
        let table = services.tables.named_mut(&self.table_name)?;
        let checked = self.check(table)?;
        write(
            table,
            checked,
            self.return_values_on_condition_check_failure,
        )?
        .reply(wanted)
    }
}

impl Operation for Update {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    /// The content is the key and the values that come with it.
    fn parts(&self, services: &Services) -> Vec<Part> {
        let mut parts = one_part(services, &self.table_name, &self.key);
        if let (Some(part), Some(values)) = (parts.first_mut(), &self.expression_attribute_values) {
            part.text = part_text([self.key.clone(), values.clone()]);
        }
        parts
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let table = services.tables.named_mut(&self.table_name)?;
        let checked = self.check(table)?;
        if let (
            Change::Update(_, Some(update)),
            ReturnValues::UpdatedOld | ReturnValues::UpdatedNew,
        ) = (&checked.change, self.return_values)
            && update.is_nested()
        {
            return Err(validation(
                "not supported: updated values of nested attributes",
            ));
        }
        write(
            table,
            checked,
            self.return_values_on_condition_check_failure,
        )?
        .reply(self.return_values)
    }
}

impl Operation for Delete {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        one_part(services, &self.table_name, &self.key)
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let wanted = only_old(self.return_values)?;
        let table = services.tables.named_mut(&self.table_name)?;
        let checked = self.check(table, Change::Delete)?;
        write(
            table,
            checked,
            self.return_values_on_condition_check_failure,
        )?
        .reply(wanted)
    }
}
