//! BatchGetItem and BatchWriteItem: no conditions, no order, and possibly only a part of what was asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::read::{answered, projection, seen};
use super::table::{Key, check_size};
use super::value::{Item, item_from_json, item_size};
use super::{Members, Names, Tables, key_text, part_text, reply, validation};
use crate::call::{Part, Service};
use crate::connector::Operation;
use crate::protocol::{Context, HeldBack, Refusal, Reply, trouble};
use crate::world::Services;

const MAX_READS: usize = 100;
const MAX_WRITES: usize = 25;
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct BatchGetItem {
    request_items: BTreeMap<String, KeysOfTable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeysOfTable {
    keys: Vec<Members>,
    consistent_read: Option<bool>,
    projection_expression: Option<String>,
    expression_attribute_names: Names,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct BatchWriteItem {
    request_items: BTreeMap<String, Vec<WriteRequest>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WriteRequest {
    put_request: Option<PutRequest>,
    delete_request: Option<DeleteRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutRequest {
    item: Members,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteRequest {
    key: Members,
}

impl Operation for BatchGetItem {
    fn resource(&self) -> String {
        self.request_items
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(",")
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        let of_table = |(name, asked): (&String, &KeysOfTable)| {
            let table = services.tables.get(name);
            let part = |key: &Members| Part {
                key: key_text(table, key),
                text: part_text([key.clone()]),
            };
            asked.keys.iter().map(part).collect::<Vec<_>>()
        };
        self.request_items.iter().flat_map(of_table).collect()
    }

    fn consistent(&self) -> Option<bool> {
        Some(
            self.request_items
                .values()
                .all(|asked| asked.consistent_read == Some(true)),
        )
    }

    fn answers_in_part(&self) -> bool {
        true
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let count: usize = self
            .request_items
            .values()
            .map(|asked| asked.keys.len())
            .sum();
        if self
            .request_items
            .values()
            .any(|asked| asked.keys.is_empty())
            || self.request_items.is_empty()
        {
            return Err(too_short("requestItems"));
        }
        if count > MAX_READS {
            return Err(validation(
                "Too many items requested for the BatchGetItem call",
            ));
        }
        let checked = self.check(&services.tables)?;
        refuse_if_all_are_held(&context.held_back, count)?;
        let (mut responses, mut unprocessed) = (Map::new(), Map::new());
        let (mut place, mut bytes) = (0, 0);
        for ((name, asked), (keys, projection)) in self.request_items.iter().zip(checked) {
            let table = services.tables.named(name)?;
            let stale = context.stale_reads && asked.consistent_read != Some(true);
            let (mut found, mut left) = (Vec::new(), Vec::new());
            for (key, wire) in keys.iter().zip(&asked.keys) {
                let item = seen(table, key, stale);
                bytes += item.map_or(0, item_size);
                if context.held_back.holds(place) || bytes > MAX_ANSWER_BYTES {
                    left.push(Json::Object(Map::clone(wire)));
                } else if let Some(item) = item {
                    found.push(answered(item, projection.as_ref()));
                }
                place += 1;
            }
            responses.insert(name.clone(), found.into());
            if !left.is_empty() {
                unprocessed.insert(name.clone(), asked.again(left));
            }
        }
        Ok(reply(Ok(
            json!({"Responses": responses, "UnprocessedKeys": unprocessed}),
        )))
    }
}

type CheckedKeys = (Vec<Key>, Option<super::expression::projection::Projection>);

impl BatchGetItem {
    fn check(&self, tables: &Tables) -> Result<Vec<CheckedKeys>, Refusal> {
        let of_table = |(name, asked): (&String, &KeysOfTable)| {
            let table = tables.named(name)?;
            let projection = projection(
                asked.projection_expression.as_deref(),
                &asked.expression_attribute_names,
            )?;
            let keys = asked
                .keys
                .iter()
                .map(|key| table.checked_key(&item_from_json(key)?))
                .collect::<Result<Vec<_>, _>>()?;
            refuse_duplicates(&keys)?;
            Ok((keys, projection))
        };
        self.request_items.iter().map(of_table).collect()
    }
}

impl KeysOfTable {
    /// The request for what was left, to be sent as it is.
    fn again(&self, keys: Vec<Json>) -> Json {
        let mut again = Map::from_iter([("Keys".to_owned(), keys.into())]);
        if let Some(consistent) = self.consistent_read {
            again.insert("ConsistentRead".to_owned(), consistent.into());
        }
        if let Some(projection) = &self.projection_expression {
            again.insert(
                "ProjectionExpression".to_owned(),
                projection.as_str().into(),
            );
        }
        if let Some(names) = &self.expression_attribute_names {
            again.insert("ExpressionAttributeNames".to_owned(), json!(names));
        }
        again.into()
    }
}

impl Operation for BatchWriteItem {
    fn resource(&self) -> String {
        self.request_items
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(",")
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        let of_table = |(name, requests): (&String, &Vec<WriteRequest>)| {
            let table = services.tables.get(name);
            let part = |request: &WriteRequest| {
                let members = match request {
                    WriteRequest {
                        put_request: Some(put),
                        ..
                    } => put.item.clone(),
                    WriteRequest {
                        delete_request: Some(delete),
                        ..
                    } => delete.key.clone(),
                    WriteRequest {
                        put_request: None,
                        delete_request: None,
                    } => Members::default(),
                };
                Part {
                    key: key_text(table, &members),
                    text: part_text([members]),
                }
            };
            requests.iter().map(part).collect::<Vec<_>>()
        };
        self.request_items.iter().flat_map(of_table).collect()
    }

    fn answers_in_part(&self) -> bool {
        true
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let count: usize = self.request_items.values().map(Vec::len).sum();
        if self.request_items.values().any(Vec::is_empty) || self.request_items.is_empty() {
            return Err(too_short("requestItems"));
        }
        if count > MAX_WRITES {
            return Err(validation(
                "Too many items requested for the BatchWriteItem call",
            ));
        }
        // Everything is checked before anything is written.
        let checked = self.check(&services.tables)?;
        refuse_if_all_are_held(&context.held_back, count)?;
        let mut unprocessed: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
        for (place, (table, request, (key, item))) in checked.into_iter().enumerate() {
            if context.held_back.holds(place) {
                unprocessed.entry(table).or_default().push(request.again());
            } else {
                services.tables.named_mut(table)?.write(key, item);
            }
        }
        Ok(reply(Ok(json!({"UnprocessedItems": unprocessed}))))
    }
}

/// The table's name, the request, and what it comes to: a place, and the item or none.
type CheckedWrite<'a> = (&'a str, &'a WriteRequest, (Key, Option<Item>));

impl BatchWriteItem {
    fn check(&self, tables: &Tables) -> Result<Vec<CheckedWrite<'_>>, Refusal> {
        let mut checked = Vec::new();
        for (name, requests) in &self.request_items {
            let table = tables.named(name)?;
            let mut keys = Vec::new();
            for request in requests {
                let write = match request {
                    WriteRequest {
                        put_request: Some(put),
                        delete_request: None,
                    } => {
                        let item = item_from_json(&put.item)?;
                        let key = table.checked_key_of(&item)?;
                        check_size(&item, "Item size has exceeded the maximum allowed size")?;
                        (key, Some(item))
                    }
                    WriteRequest {
                        put_request: None,
                        delete_request: Some(delete),
                    } => (table.checked_key(&item_from_json(&delete.key)?)?, None),
                    _ => {
                        return Err(validation(
                            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
                             the supported datatypes",
                        ));
                    }
                };
                keys.push(write.0.clone());
                checked.push((name.as_str(), request, write));
            }
            refuse_duplicates(&keys)?;
        }
        Ok(checked)
    }
}

impl WriteRequest {
    /// The request, to be sent as it is.
    fn again(&self) -> Json {
        let mut again = Map::new();
        if let Some(put) = &self.put_request {
            again.insert("PutRequest".to_owned(), json!({"Item": put.item}));
        }
        if let Some(delete) = &self.delete_request {
            again.insert("DeleteRequest".to_owned(), json!({"Key": delete.key}));
        }
        again.into()
    }
}

fn refuse_duplicates(keys: &[Key]) -> Result<(), Refusal> {
    let distinct: BTreeSet<&Key> = keys.iter().collect();
    if distinct.len() < keys.len() {
        return Err(validation("Provided list of item keys contains duplicates"));
    }
    Ok(())
}

/// A batch of which nothing at all can be processed is refused as a whole.
fn refuse_if_all_are_held(held_back: &HeldBack, count: usize) -> Result<(), Refusal> {
    if (0..count).all(|place| held_back.holds(place)) {
        return Err(trouble::throttled(Service::DynamoDb));
    }
    Ok(())
}

fn too_short(parameter: &str) -> Refusal {
    validation(format!(
        "1 validation error detected: Value at '{parameter}' failed to satisfy constraint: Member must have length \
         greater than or equal to 1"
    ))
}
