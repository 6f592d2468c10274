//! The machines' states: the port, and DynamoDB behind it.
//!
//! One item per machine. A commit holds only on the version that was loaded, so that of two invocations that
//! judge the same machine one loses and judges again. The owner token lets a repeated call recognise its own
//! write: the SDK repeats a call whose answer was lost.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_function::aws::classify;

use crate::{MachineRecord, PortError};

/// The most machines that one load takes.
pub const MAX_MACHINES: usize = 100;

/// Where states are kept.
pub trait StateStore {
    /// Loads up to [`MAX_MACHINES`] distinct machines, consistently: another environment may have moved on.
    fn load(&self, machines: &[&str]) -> impl Future<Output = Result<Loaded, PortError>> + Send;

    /// Writes one machine's state on the condition that it is still the loaded one.
    fn commit(
        &self,
        commit: &Commit<'_>,
    ) -> impl Future<Output = Result<Committed, PortError>> + Send;
}

/// What a load found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// By machine; a machine that is in neither field has no state yet.
    pub states: HashMap<String, StoredState>,
    /// Machines that the table left unprocessed: nothing is known of them.
    pub unprocessed: Vec<String>,
}

/// A state as it lies in the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredState {
    /// Counts commits.
    pub version: u64,
    /// The encoded rule states.
    pub state: Vec<u8>,
    /// The marks, by shard.
    pub watermarks: BTreeMap<String, String>,
}

/// A state on its way into the table.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'c> {
    /// The machine.
    pub machine: &'c str,
    /// The version that was loaded; 0 if there was none.
    pub loaded: u64,
    /// Names this attempt and no other.
    pub owner: &'c str,
    /// What is written.
    pub record: &'c MachineRecord,
    /// When the table may delete it, in seconds since the epoch.
    pub expires_at: i64,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The state is written.
    Done,
    /// Another invocation has written since the load.
    Lost,
}

/// When a state may be deleted whose last reading arrived at `arrived_ms`.
pub fn expires_at(arrived_ms: i64, keep: Duration) -> i64 {
    arrived_ms
        .div_euclid(1_000)
        .saturating_add_unsigned(keep.as_secs())
}

/// [`StateStore`] on Amazon DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoStateStore {
    client: Client,
    table: String,
}

impl DynamoStateStore {
    /// The table `table`, reached by `client`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl StateStore for DynamoStateStore {
    async fn load(&self, machines: &[&str]) -> Result<Loaded, PortError> {
        const WHAT: &str = "cannot load machine states";
        let key = |machine: &&str| {
            HashMap::from([(
                "machine".to_owned(),
                AttributeValue::S((*machine).to_owned()),
            )])
        };
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(machines.iter().map(key).collect()))
            .consistent_read(true)
            .build()
            .map_err(|error| PortError {
                what: WHAT,
                passing: false,
                cause: error.into(),
            })?;
        match self
            .client
            .batch_get_item()
            .request_items(&self.table, keys)
            .send()
            .await
        {
            Ok(output) => Ok(loaded(&output, &self.table)),
            Err(error) => {
                let passing = classify(&error).is_worth_retrying();
                Err(PortError {
                    what: WHAT,
                    passing,
                    cause: error.into(),
                })
            }
        }
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<Committed, PortError> {
        let next = commit.loaded + 1;
        let marks = commit.record.watermarks.to_texts();
        let marks = marks
            .map(|(shard, mark)| (shard.to_owned(), AttributeValue::S(mark)))
            .collect();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("machine", AttributeValue::S(commit.machine.to_owned()))
            .item("version", number(next))
            .item("owner", AttributeValue::S(commit.owner.to_owned()))
            .item(
                "state",
                AttributeValue::B(Blob::new(commit.record.state.encode())),
            )
            .item("watermarks", AttributeValue::M(marks))
            .item(
                "expires_at",
                AttributeValue::N(commit.expires_at.to_string()),
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":owner", AttributeValue::S(commit.owner.to_owned()))
            .expression_attribute_values(":next", number(next));
        let put = if commit.loaded == 0 {
            put.condition_expression(
                "attribute_not_exists(#version) OR (#version = :next AND #owner = :owner)",
            )
        } else {
            put.condition_expression("#version = :loaded OR (#version = :next AND #owner = :owner)")
                .expression_attribute_values(":loaded", number(commit.loaded))
        };
        match put.send().await {
            Ok(_) => Ok(Committed::Done),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(Committed::Lost)
            }
            Err(error) => {
                let passing = classify(&error).is_worth_retrying();
                Err(PortError {
                    what: "cannot commit a machine's state",
                    passing,
                    cause: error.into(),
                })
            }
        }
    }
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn loaded(output: &BatchGetItemOutput, table: &str) -> Loaded {
    let items = output
        .responses()
        .and_then(|tables| tables.get(table))
        .map_or(&[][..], Vec::as_slice);
    let left = output
        .unprocessed_keys()
        .and_then(|tables| tables.get(table));
    let machine =
        |item: &HashMap<String, AttributeValue>| item.get("machine")?.as_s().ok().cloned();
    Loaded {
        states: items
            .iter()
            .filter_map(|item| Some((machine(item)?, stored(item))))
            .collect(),
        unprocessed: left
            .map_or(&[][..], |keys| keys.keys())
            .iter()
            .filter_map(machine)
            .collect(),
    }
}

/// An attribute that is missing or of another type reads as empty; decoding the whole then says what is lost.
fn stored(item: &HashMap<String, AttributeValue>) -> StoredState {
    let version = item
        .get("version")
        .and_then(|value| value.as_n().ok()?.parse().ok());
    let state = item
        .get("state")
        .and_then(|value| Some(value.as_b().ok()?.as_ref().to_vec()));
    let watermarks = item.get("watermarks").and_then(|value| {
        let marks = value.as_m().ok()?.iter();
        marks
            .map(|(shard, mark)| Some((shard.clone(), mark.as_s().ok()?.clone())))
            .collect()
    });
    StoredState {
        version: version.unwrap_or_default(),
        state: state.unwrap_or_default(),
        watermarks: watermarks.unwrap_or_default(),
    }
}
