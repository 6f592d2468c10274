//! Real SDK clients against the world: what AWS documents, and the faults on demand.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it like the test itself"
)]

mod dynamodb;
mod dynamodb_batch;
mod dynamodb_query;
mod dynamodb_transaction;
mod faults;
mod kinesis;
mod s3;
mod sagemaker;
mod sns;
mod sqs;
mod world;
