//! DynamoDB: tables with string keys, and the operations on them. Errors and messages are DynamoDB's own.

mod batch;
mod expression;
mod number;
mod query;
mod read;
mod table;
mod transaction;
mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::connector::Operation;
use crate::protocol::{Refusal, Reply, json};
use crate::text::Text;

pub use number::Number;
pub use value::{Item, Value};

pub(crate) use table::Table;

/// All tables, and the tokens of the transactions of the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    by_name: BTreeMap<String, Table>,
    tokens: BTreeMap<String, transaction::Seen>,
}

impl Tables {
    pub(crate) fn insert(&mut self, table: Table) {
        self.by_name.insert(table.name.clone(), table);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.by_name.get_mut(name)
    }

    fn named(&self, name: &str) -> Result<&Table, Refusal> {
        self.get(name).ok_or_else(not_found)
    }

    fn named_mut(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        self.get_mut(name).ok_or_else(not_found)
    }
}

/// Names and values for placeholders, as requests bring them.
type Names = Option<BTreeMap<String, String>>;
type Values = Option<Members>;

/// An item, a key or values as they came; the log of calls keeps them.
type Members = Arc<Map<String, Json>>;

pub(crate) fn operation(name: &str, body: &[u8]) -> Result<Box<dyn Operation>, Refusal> {
    match name {
        "GetItem" => json::operation::<read::GetItem>(body),
        "BatchGetItem" => json::operation::<batch::BatchGetItem>(body),
        "PutItem" => json::operation::<write::Put>(body),
        "UpdateItem" => json::operation::<write::Update>(body),
        "DeleteItem" => json::operation::<write::Delete>(body),
        "BatchWriteItem" => json::operation::<batch::BatchWriteItem>(body),
        "TransactWriteItems" => json::operation::<transaction::TransactWriteItems>(body),
        "Query" => json::operation::<query::Query>(body),
        "Scan" => json::operation::<query::Scan>(body),
        _ => Err(Refusal::new(
            "UnknownOperationException",
            format!("not supported: {name}"),
        )),
    }
}

pub(crate) fn reply(result: Result<Json, Refusal>) -> Reply {
    json::reply("1.0", result, |code| match code {
        "ValidationException" => "com.amazon.coral.validate#",
        "SerializationException" | "UnknownOperationException" | "AccessDeniedException" => {
            "com.amazon.coral.service#"
        }
        "ThrottlingException" => "com.amazon.coral.availability#",
        _ => "com.amazonaws.dynamodb.v20120810#",
    })
}

pub(crate) fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

fn not_found() -> Refusal {
    Refusal::new("ResourceNotFoundException", "Requested resource not found")
}

/// Members as the text of a [`crate::Part`], in the order of their names: SDKs send maps in any order.
fn part_text<const N: usize>(members: [Members; N]) -> Text {
    fn sorted(json: &Json) -> Json {
        match json {
            Json::Object(members) => sorted_members(members),
            Json::Array(elements) => elements.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    fn sorted_members(members: &Map<String, Json>) -> Json {
        let members: BTreeMap<_, _> = members
            .iter()
            .map(|(name, json)| (name.clone(), sorted(json)))
            .collect();
        Json::Object(members.into_iter().collect())
    }
    Text::lazy(move || {
        let texts = members.map(|members| sorted_members(&members).to_string());
        texts.concat()
    })
}

/// The values of the key attributes among these members, for [`crate::Part::key`]; as much as is readable.
fn key_text(table: Option<&Table>, members: &Map<String, Json>) -> String {
    let Some(table) = table else {
        return String::new();
    };
    let value = |name: &str| members.get(name)?.as_object()?.values().next()?.as_str();
    table
        .schema
        .names()
        .filter_map(value)
        .collect::<Vec<_>>()
        .join("/")
}
