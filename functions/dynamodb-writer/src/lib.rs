//! Stores quality events in DynamoDB.
//!
//! **In:** a batch of the quality-events stream. **Out:** an item per storable event under `machine` and
//! `time_id` (`<time>#<id>`), with an index by line and a time to live that counts from the record's arrival.
//! Storable are openings, clearings and flagged predictions; `STORE=all` stores every event.
//!
//! **Promise:** an event is stored once however often it is delivered, because its key derives from its id;
//! an event that was not stored stays in front of the checkpoint; bytes that are no event go to quarantine
//! and hold nothing back. A late finding never takes the place of one that was made in its turn.

pub mod config;
mod event_table;
mod function;
mod handler;
mod item;
mod metric;
mod store;

pub use event_table::{DynamoEventTable, EventTable, Refusal, WriteError};
pub use function::{Clients, Writer};
pub use handler::{Action, Ports, decide, handle};
pub use item::Item;
pub use metric::METRICS;
