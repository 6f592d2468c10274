//! What the transformer counts. Dimensions name reasons, never what records hold.

use lambda_function::metrics::Metric;

/// Every metric of this function.
pub const METRICS: &[Metric] = &[OK, DROPPED, FAILED];

pub(crate) const OK: Metric = Metric::count(
    "RecordsTransformed",
    &[],
    "records whose rows are delivered",
);
pub(crate) const DROPPED: Metric = Metric::count(
    "RecordsDropped",
    &[],
    "records that the program does not want",
);
pub(crate) const FAILED: Metric = Metric::count(
    "RecordsFailed",
    &["reason"],
    "records that are kept under the error prefix, by reason",
);
