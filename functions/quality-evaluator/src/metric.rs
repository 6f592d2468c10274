//! What the evaluator counts. Dimensions name rules and reasons, never machines.

use function_ports::{PLAN_REFUSED, PLAN_UNREACHABLE};
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
    PARKED,
    RULES_RESTARTED,
    RESTARTS_UNREAD,
    MACHINES_ON_SEVERAL_SHARDS,
    LATE_READINGS,
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
pub(crate) const PARKED: Metric = Metric::count(
    "Parked",
    &["reason"],
    "readings set aside because their machine was held for too long",
);
pub(crate) const RULES_RESTARTED: Metric = Metric::count(
    "RulesRestarted",
    &[],
    "machines whose rules began anew after readings that were parked",
);
pub(crate) const RESTARTS_UNREAD: Metric = Metric::count(
    "RestartsUnread",
    &[],
    "invocations that could not see which machines' rules must begin anew",
);
pub(crate) const MACHINES_ON_SEVERAL_SHARDS: Metric = Metric::count(
    "MachinesOnSeveralShards",
    &[],
    "machines with readings on two shards within a minute: between shards there is no order",
);
pub(crate) const LATE_READINGS: Metric = Metric::count(
    "LateReadings",
    &["outcome"],
    "readings that were brought back after their turn, by what became of them",
);
pub(crate) const STATE_LOST: Metric = Metric::count(
    "StateLost",
    &["part"],
    "stored states that could not be decoded and started afresh",
);
