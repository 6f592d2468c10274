//! Asks a SageMaker model about every reading.
//!
//! **In:** a batch of the readings stream. **Out:** a `prediction` event per reading on the quality-events stream, with the
//! model's score, or with the reason why there is none. What the model is told and what its scores call for stands in
//! the control plan's section `model`.
//!
//! **Promise:** a reading is done once its event is on the stream, and waits in front of the checkpoint until then, for
//! [`config::Policy::max_age`] from its arrival at most: then it passes unscored. Calls are bounded in rows, bytes, number
//! and time. A reading that the model refuses is found by halving and passes unscored, and costs its neighbours nothing.
//!
//! | the endpoint | the reading |
//! |---|---|
//! | answers a score | scored, flagged from the lowest threshold on |
//! | answers NaN or null for it | unscored, `not-a-number` |
//! | throttles, fails (5xx), is late, drops the connection, answers what cannot be read or too few rows | tried again with a jittered wait, [`config::Policy::attempts`] times; then it stays in front of the checkpoint, alone with the rows of its call |
//! | refuses (4xx of the model) | halved until the row stands alone: unscored, `refused-by-model` |
//! | has failed [`config::Policy::breaker_failures`] calls in a row | **unscored**, `breaker-open`, without a call, until a probe succeeds (`WHEN_OPEN=pass`); or it waits (`WHEN_OPEN=hold`) |
//!
//! An unscored event has an id of its own kind: where a reading is scored after all, by another delivery, the score stands
//! beside it and is never overwritten. Readings that cannot be read are counted and skipped: the evaluator sets them aside.

mod answer;
mod breaker;
mod call;
pub mod config;
mod decide;
mod endpoint;
mod event;
mod function;
mod handler;
mod metric;
mod request;

pub use answer::{BadAnswer, scores};
pub use breaker::{Admission, Breaker};
pub use endpoint::{Answered, CallError, Endpoint, Fate, SageMakerEndpoint};
pub use function::{Caller, Clients};
pub use handler::{Ports, handle};
pub use metric::METRICS;
pub use request::{Form, encode};
