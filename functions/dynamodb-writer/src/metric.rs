//! What the writer counts. Dimensions name reasons, never machines.

use lambda_function::metrics::{Metric, UNFINISHED};
use set_aside::{QUARANTINED, REDRIVEN};

/// Every metric of this function.
pub const METRICS: &[Metric] = &[
    STORED,
    SKIPPED,
    DUPLICATES,
    QUARANTINED,
    REDRIVEN,
    UNFINISHED,
    TABLE_REFUSALS,
];

pub(crate) const STORED: Metric =
    Metric::count("EventsStored", &[], "distinct events written to the table");
pub(crate) const SKIPPED: Metric = Metric::count(
    "EventsSkipped",
    &["reason"],
    "events that the table does not keep, by reason",
);
pub(crate) const DUPLICATES: Metric = Metric::count(
    "EventsDuplicated",
    &[],
    "events delivered more than once within a batch",
);
pub(crate) const TABLE_REFUSALS: Metric = Metric::count(
    "TableRefusals",
    &["reason"],
    "calls that the table answered in part or not at all",
);
