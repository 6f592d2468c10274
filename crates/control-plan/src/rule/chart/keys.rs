//! The keys of a chart: those of all, and those of each type.

use control_chart::EwmaLimits;

/// Keys of every chart.
pub(crate) const KEYS: [&str; 6] = [
    "type",
    "characteristic",
    "center",
    "learn",
    "reset_on",
    "relearn_on",
];

/// What each type of chart takes besides.
pub(crate) const TYPES: [(&str, &[&str]); 9] = [
    ("individuals", &["sigma", "tests"]),
    ("xbar-r", &["sigma", "tests", "subgroup"]),
    ("xbar-s", &["sigma", "tests", "subgroup"]),
    ("ewma", &["sigma", "lambda", "width", "limits"]),
    ("cusum", &["sigma", "k", "h", "head_start"]),
    ("p", &["size", "tests"]),
    ("np", &["size", "tests"]),
    ("c", &["tests"]),
    ("u", &["size", "tests"]),
];

/// The words of `limits`.
pub(crate) const EWMA_LIMITS: [(&str, EwmaLimits); 2] = [
    ("time-varying", EwmaLimits::TimeVarying),
    ("steady", EwmaLimits::Steady),
];

/// Keys of a `subgroup` that is no number.
pub(crate) const SUBGROUP_KEYS: [&str; 1] = ["by"];

/// Every key that some chart takes.
pub(crate) fn all() -> Vec<&'static str> {
    let own = TYPES.iter().flat_map(|(_, keys)| keys.iter().copied());
    let mut all: Vec<&str> = KEYS.into_iter().chain(own).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What a chart of this type takes besides the keys of every chart.
pub(super) fn own(kind: &str) -> &'static [&'static str] {
    let found = TYPES.iter().find(|(name, _)| *name == kind);
    found.map_or(&[], |(_, keys)| keys)
}

/// `an ewma`, `a cusum`.
pub(super) fn with_article(kind: &str) -> String {
    match kind {
        "individuals" | "ewma" | "np" | "xbar-r" | "xbar-s" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
