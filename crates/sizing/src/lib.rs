//! How large a pipeline has to be for a load, what it costs, and what breaks first: pure formulas.
//!
//! Promises:
//! - **Every number has its formula** and, where something was taken for granted, its assumption ([`Figure`]).
//! - **Every default can be replaced**: each [`Input`] by a value of yours, the prices by a list of yours ([`Prices`]).
//! - **Lag and concurrency** are within 10 % of the event source mapping's state machine ([`consumer`]).
//!
//! What a load is, and where its defaults come from, is told by [`INPUTS`]. Shard limits, payloads and units are those of
//! the services' documentation; calls' times are defaults without a measurement until you give yours. Left out: free
//! tiers, savings plans, data transfer, requests to the key, Athena, an API in front, retries, and whatever else runs in
//! the account.
//!
//! ```
//! use sizing::{Load, Prices, size};
//!
//! let load = Load { readings_per_second: 10_000.0, ..Load::default() };
//! let sizing = size(&load, &Prices::default_list()?);
//! println!("{} breaks first", sizing.limits[0].name);
//! # Ok::<(), sizing::BadPrices>(())
//! ```

mod answer;
pub mod consumer;
mod cost;
mod file;
mod finds;
mod function;
mod limit;
mod load;
mod parts;
mod prices;
mod size;
mod stream;

pub use answer::{Bound, Cost, Figure, Limit, Part, PriceList, Sizing};
pub use file::{BadLoad, read};
pub use load::{BadInput, INPUTS, Input, Load};
pub use prices::{BadPrices, Prices};
pub use size::size;

/// The JSON Schema of the answer.
#[cfg(feature = "schema")]
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Sizing);
    schema.insert("$id".into(), "urn:andon:size:1".into());
    schema.into()
}
