//! The table of quality events: the port, and DynamoDB behind it.

use std::future::Future;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use lambda_function::aws::classify;

use crate::Item;

/// The most items that one call takes.
pub const MAX_ITEMS: usize = 25;

/// Where events are stored.
pub trait EventTable {
    /// Writes up to [`MAX_ITEMS`] items with distinct keys in one call, over whatever stands there, and
    /// returns the indices of those that the table left unprocessed.
    fn write(&self, items: &[&Item])
    -> impl Future<Output = Result<Vec<usize>, WriteError>> + Send;

    /// Writes an item unless one with its keys is there, and returns whether it did.
    fn write_if_absent(&self, item: &Item)
    -> impl Future<Output = Result<bool, WriteError>> + Send;
}

/// Why a call had no effect that can be relied on.
#[derive(Debug, thiserror::Error)]
#[error("the event table did not take the items: {refusal:?}")]
pub struct WriteError {
    /// What follows from it.
    pub refusal: Refusal,
    /// What the table said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// What follows from a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The same call may succeed a moment later.
    Passing,
    /// An item is at fault: no retry cures it.
    Item,
    /// The table or the permission is missing: a later invocation may succeed.
    Setup,
}

/// [`EventTable`] on Amazon DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoEventTable {
    client: Client,
    table: String,
}

impl DynamoEventTable {
    /// The table `table`, reached by `client`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl EventTable for DynamoEventTable {
    async fn write(&self, items: &[&Item]) -> Result<Vec<usize>, WriteError> {
        let requests = items
            .iter()
            .map(|item| put_request(item))
            .collect::<Result<Vec<_>, _>>()?;
        let answer = self
            .client
            .batch_write_item()
            .request_items(&self.table, requests)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(unprocessed(&output, &self.table, items)),
            Err(error) => Err(refused(error)),
        }
    }

    async fn write_if_absent(&self, item: &Item) -> Result<bool, WriteError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.attributes.clone()))
            .condition_expression("attribute_not_exists(time_id)");
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(refused(error)),
        }
    }
}

fn refused<E>(error: SdkError<E, HttpResponse>) -> WriteError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let refusal = match classify(&error) {
        fault if fault.is_worth_retrying() => Refusal::Passing,
        _ if error.code() == Some("ValidationException") => Refusal::Item,
        _ => Refusal::Setup,
    };
    WriteError {
        refusal,
        cause: error.into(),
    }
}

fn put_request(item: &Item) -> Result<WriteRequest, WriteError> {
    let put = PutRequest::builder()
        .set_item(Some(item.attributes.clone()))
        .build();
    let put = put.map_err(|error| WriteError {
        refusal: Refusal::Item,
        cause: error.into(),
    })?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// The indices of `items` that the answer hands back.
fn unprocessed(output: &BatchWriteItemOutput, table: &str, items: &[&Item]) -> Vec<usize> {
    let returned = output
        .unprocessed_items()
        .and_then(|tables| tables.get(table));
    let keys: Vec<_> = returned
        .into_iter()
        .flatten()
        .filter_map(|request| {
            let item = request.put_request()?.item();
            Some((text(item.get("machine")?)?, text(item.get("time_id")?)?))
        })
        .collect();
    let is_returned = |item: &Item| keys.contains(&(item.machine.as_str(), item.time_id.as_str()));
    (0..items.len())
        .filter(|index| is_returned(items[*index]))
        .collect()
}

fn text(value: &AttributeValue) -> Option<&str> {
    value.as_s().ok().map(String::as_str)
}
