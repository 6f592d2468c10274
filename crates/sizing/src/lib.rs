//! How large a pipeline has to be for a load, what it costs, and what breaks first.

pub mod consumer;
mod finds;
