//! What the caller counts. Dimensions name reasons and variants, never machines.

use function_ports::{PLAN_REFUSED, PLAN_UNREACHABLE};
use lambda_function::metrics::{Metric, UNFINISHED};
use set_aside::REDRIVEN;

/// Every metric of this function.
pub const METRICS: &[Metric] = &[
    SCORED,
    FLAGGED,
    UNSCORED,
    SKIPPED,
    HELD,
    CALLS,
    LATENCY,
    BREAKER,
    REDRIVEN,
    UNFINISHED,
    PLAN_REFUSED,
    PLAN_UNREACHABLE,
];

pub(crate) const SCORED: Metric = Metric::count(
    "ReadingsScored",
    &["variant"],
    "readings with a score, by the variant that gave it",
);
pub(crate) const FLAGGED: Metric = Metric::count(
    "PredictionsFlagged",
    &["severity"],
    "scores that reach a threshold",
);
pub(crate) const UNSCORED: Metric = Metric::count(
    "ReadingsUnscored",
    &["reason"],
    "readings that passed without a score",
);
pub(crate) const SKIPPED: Metric = Metric::count(
    "ReadingsSkipped",
    &["reason"],
    "records that are no readings, which the evaluator sets aside, and readings of a plan without a model",
);
pub(crate) const HELD: Metric = Metric::count(
    "ReadingsHeld",
    &["reason"],
    "readings whose call brought nothing and that a later delivery asks about again",
);
pub(crate) const CALLS: Metric = Metric::count(
    "ModelCalls",
    &["outcome"],
    "calls of the endpoint, by how they ended",
);
pub(crate) const LATENCY: Metric = Metric::millis(
    "ModelLatency",
    &["variant"],
    "from sending a call to having its whole answer",
);
pub(crate) const BREAKER: Metric = Metric::count(
    "BreakerChanges",
    &["to"],
    "times that the endpoint was left alone (open) or called again (closed)",
);
