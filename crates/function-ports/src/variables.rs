//! Variables that have one meaning in every function that reads them.

use std::time::Duration;

use lambda_function::config::{Reader, Variable};

use crate::PlanUri;

/// Where the control plan is.
pub const PLAN_URI: Variable = Variable::required(
    "PLAN_URI",
    "s3://andon-plans/control-plan.yaml",
    "the control plan: an object (s3://bucket/key) or a file (file:///path)",
);

/// After how long a changed plan is looked for.
pub const PLAN_REFRESH: Variable = Variable::optional(
    "PLAN_REFRESH",
    "60",
    "seconds after which a changed plan is looked for",
);

/// Where quality events go.
pub const QUALITY_STREAM: Variable = Variable::required(
    "QUALITY_STREAM",
    "andon-quality-events",
    "the name of the quality-events stream",
);

/// The control plan's place and the time after which a changed one is looked for; a bad value is `reader`'s to report.
pub fn plan(reader: &mut Reader<'_>) -> (Option<PlanUri>, Option<Duration>) {
    (
        reader.parsed(&PLAN_URI, "s3://bucket/key or file:///path"),
        reader.seconds(&PLAN_REFRESH, 1..=86_400),
    )
}
