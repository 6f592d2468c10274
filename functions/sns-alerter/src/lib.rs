//! Alerts people, and stops lines.
//!
//! **In:** a batch of the quality-events stream. **Out:** a message on the alert topic for each opening, clearing
//! and flagged prediction whose reaction is `notify` or `stop-line`; for an opening or a flagged prediction that is
//! to stop the line, a message with an expiry on the line-stop topic as well.
//!
//! **Promise:** one message per finding, however often it is delivered: whoever publishes holds the finding's claim
//! in DynamoDB. Another's live claim sends the record back, so that nothing is lost with its holder; a publication
//! that is known to have failed releases the claim. The one window that can repeat a message lies between publishing
//! and marking the claim as sent: a crash there, or an answer of the topic that is lost, lets the claim expire, and
//! whoever takes it over publishes again (counted, and so is everyone after it until the message is marked as sent: none
//! of them can tell whether it was the first). A line stop whose answer is lost is repeated at once, with the
//! same id and expiry, and its lease is a quarter of its expiry: a line that is told twice stops once.
//!
//! Within the cool-down of a machine and rule (in reading time) further openings are stored but alert nobody, and
//! neither do their clearings. The cool-down never holds back a line stop; a clearing that was seen first does.

mod alert;
mod claim;
mod claims;
pub mod config;
mod courier;
mod function;
mod handler;
mod job;
mod metric;
mod ports;
mod text;
mod topic;

pub use alert::{Delivery, Purpose, deliveries};
pub use claim::{ClaimError, Claimed, Claims, Gate, Request, Settlement};
pub use claims::DynamoClaims;
pub use function::{Alerter, Clients};
pub use handler::handle;
pub use metric::METRICS;
pub use ports::Ports;
pub use topic::{Message, PublishError, Refused, SnsTopic, Topic};
