//! What is counted about the plan.

use lambda_function::metrics::Metric;

/// A fetched plan failed its check.
pub const PLAN_REFUSED: Metric = Metric::count(
    "PlanRefused",
    &[],
    "fetched plans that failed their check; the last good one stays",
);
/// A plan could not be fetched.
pub const PLAN_UNREACHABLE: Metric = Metric::count(
    "PlanUnreachable",
    &[],
    "plan refreshes that failed; the last good one stays",
);
