//! What the alerter counts. Dimensions name reasons and purposes, never machines.

use lambda_function::metrics::{Metric, UNFINISHED};
use set_aside::{QUARANTINED, REDRIVEN};

/// Every metric of this function.
pub const METRICS: &[Metric] = &[
    PUBLISHED,
    SUPPRESSED,
    HELD,
    UNMARKED,
    TAKEN_OVER,
    QUARANTINED,
    REDRIVEN,
    UNFINISHED,
];

pub(crate) const PUBLISHED: Metric = Metric::count(
    "MessagesPublished",
    &["purpose", "severity"],
    "alerts and line stops published",
);
pub(crate) const SUPPRESSED: Metric = Metric::count(
    "MessagesSuppressed",
    &["purpose", "reason"],
    "events that call for no message, by reason",
);
pub(crate) const HELD: Metric = Metric::count(
    "MessagesHeld",
    &["reason"],
    "messages that a later delivery must try again",
);
pub(crate) const UNMARKED: Metric = Metric::count(
    "ClaimsUnmarked",
    &[],
    "published messages whose claim could not be marked: they may repeat",
);
pub(crate) const TAKEN_OVER: Metric = Metric::count(
    "ClaimsTakenOver",
    &[],
    "claims whose holder's lease ran out: their messages may be published twice",
);
