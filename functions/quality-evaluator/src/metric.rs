//! What the evaluator counts. Dimensions name rules and reasons, never machines.

use lambda_function::metrics::{Metric, UNFINISHED};
use set_aside::QUARANTINED;

/// Every metric of this function.
pub const METRICS: &[Metric] = &[
    READINGS_JUDGED,
    READINGS_REPLAYED,
    READINGS_DUPLICATE,
    EVENTS,
    NOT_APPLICABLE,
    QUARANTINED,
    UNFINISHED,
    MACHINES_HELD,
    STATE_LOST,
    PLAN_REFUSED,
    PLAN_UNREACHABLE,
];

pub(crate) const READINGS_JUDGED: Metric =
    Metric::count("ReadingsJudged", &[], "readings judged and committed");
pub(crate) const READINGS_REPLAYED: Metric = Metric::count(
    "ReadingsReplayed",
    &[],
    "readings delivered again and skipped by their watermark",
);
pub(crate) const READINGS_DUPLICATE: Metric = Metric::count(
    "ReadingsDuplicate",
    &[],
    "readings that their producer had sent before, by their id, and that were not judged again",
);
pub(crate) const EVENTS: Metric = Metric::count(
    "QualityEvents",
    &["rule", "transition"],
    "events of committed readings",
);
pub(crate) const NOT_APPLICABLE: Metric = Metric::count(
    "RulesNotApplicable",
    &["rule"],
    "readings that lack what a rule needs",
);
pub(crate) const MACHINES_HELD: Metric = Metric::count(
    "MachinesHeld",
    &["reason"],
    "attempts at a machine that a later one must repeat",
);
pub(crate) const STATE_LOST: Metric = Metric::count(
    "StateLost",
    &["part"],
    "stored states that could not be decoded and started afresh",
);
pub(crate) const PLAN_REFUSED: Metric = Metric::count(
    "PlanRefused",
    &[],
    "fetched plans that failed their check; the last good one stays",
);
pub(crate) const PLAN_UNREACHABLE: Metric = Metric::count(
    "PlanUnreachable",
    &[],
    "plan refreshes that failed; the last good one stays",
);
