//! What the function acts through.

use std::sync::Arc;

use lambda_function::metrics::Metrics;

/// The ports, and what counts beside them.
pub struct Ports<C, T, S, K> {
    /// Where claims are kept.
    pub claims: C,
    /// Where people are told.
    pub alerts: T,
    /// Where lines are stopped.
    pub line_stops: T,
    /// Where records go that are no events.
    pub shelf: S,
    /// The time of day.
    pub clock: K,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}
