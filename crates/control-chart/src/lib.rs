//! Control charts, streaming: one point at a time, in constant memory and constant time per reading.
//!
//! The promise: a chart says what the textbooks' formulas say of the same series, wherever the series is cut and the
//! state stored in between. Plain `f64` arithmetic, no clock, no I/O.
//!
//! ```
//! use control_chart::{Baseline, Chart, ChartKind, ChartState, Observed, Sample, Tests};
//!
//! let given = Baseline::Given { center: 40.0, sigma: 10.0 };
//! let chart = Chart::new(ChartKind::Individuals, given, Tests::western_electric(ChartKind::Individuals))?;
//! let mut state = ChartState::default();
//! for (torque, fires) in [(42.8, false), (61.0, false), (63.5, true)] {
//!     let Observed::Point(point) = chart.observe(&mut state, Sample::Value(torque)) else { continue };
//!     assert_eq!(!point.fired.is_empty(), fires, "two of three beyond two sigma");
//! }
//! # Ok::<(), control_chart::BadChart>(())
//! ```
//!
//! # Charts
//!
//! | chart | plotted | centre | limits | second chart |
//! |---|---|---|---|---|
//! | individuals | the value x | m | m ± 3 s | moving range, 0 .. (d2 + 3 d3) s with n = 2 |
//! | xbar-r | the mean of n | m | m ± 3 s / sqrt(n) | range, (d2 ± 3 d3) s |
//! | xbar-s | the mean of n | m | m ± 3 s / sqrt(n) | standard deviation, (c4 ± 3 sqrt(1 - c4²)) s |
//! | ewma | z = l x + (1 - l) z | m | m ± L s sqrt(l / (2 - l) (1 - (1 - l)^2i)) | |
//! | cusum | max(0, C + x - m - k s) and its mirror | 0 | h s | |
//! | p | count / size | p | p ± 3 sqrt(p (1 - p) / size) | |
//! | np | count | n p | n p ± 3 sqrt(n p (1 - p)) | |
//! | c | count | c | c ± 3 sqrt(c) | |
//! | u | count / size | u | u ± 3 sqrt(u / size) | |
//!
//! A limit below zero of what cannot be negative does not exist, nor does one above 1 for p or above the size for np.
//! Sources: D. C. Montgomery, *Introduction to Statistical Quality Control*; NIST/SEMATECH e-Handbook of Statistical
//! Methods, chapter 6.3.
//!
//! # Run tests
//!
//! | test | fires at a point | |
//! |---|---|---|
//! | `beyond-limits`, `western-electric-1`, `nelson-1` | beyond a limit | |
//! | `western-electric-2`, `nelson-5` | two of three beyond 2 sigma | the last one too, on one side |
//! | `western-electric-3`, `nelson-6` | four of five beyond 1 sigma | the last one too, on one side |
//! | `western-electric-4` | eight in a row on one side of the centre | |
//! | `nelson-2` | nine in a row on one side of the centre | |
//! | `nelson-3` | six in a row, each above (or each below) the one before | |
//! | `nelson-4` | fourteen in a row, alternately up and down | |
//! | `nelson-7` | fifteen in a row within 1 sigma | a point on 1 sigma is within |
//! | `nelson-8` | eight in a row outside 1 sigma, some on either side | |
//! | `moving-range-…`, `range-…`, `standard-deviation-beyond-limits` | the second chart beyond its limits | |
//!
//! The point that completes a pattern is the one that fires, and so does each further point that still completes it.
//! Comparisons are strict: a point on a limit or on the centre is not beyond it; a tie breaks a trend. Where limits
//! vary from point to point, a pattern is judged by the limits of its last point. Sources: Western Electric,
//! *Statistical Quality Control Handbook* (1956); L. S. Nelson, "The Shewhart Control Chart: Tests for Special Causes",
//! Journal of Quality Technology 16 (1984). Points of an EWMA or a CUSUM depend on one another; run tests say nothing
//! of them.
//!
//! # Phase I
//!
//! A chart without a given centre learns from its first N points and judges none of them. Once twenty are taken in, a
//! point beyond the 3-sigma limits of those taken in so far is left out: neither it nor a moving range next to it
//! counts. Eight left out in a row mean that the process has moved, and phase I starts over with the eighth. It does
//! not end while sigma would be 0. Centre: the mean; sigma: the mean moving range / d2 (individuals, ewma, cusum), the
//! mean of R / d2 or S / c4 (X-bar charts); p and u: sum of counts / sum of sizes. What was learned is then frozen.
//!
//! # Average run lengths
//!
//! Points up to and including the first that fires: as published, as computed here from an integral equation or a
//! Markov chain, and as simulated with these charts (400,000 runs each; in brackets the standard error in the last
//! digits). `cargo run --release -p control-chart --example average_run_length` makes the table again and fails where
//! simulated and published values differ.
//!
//! | chart, process in control | published | computed | simulated |
//! |---|---|---|---|---|
//! | individuals, `western-electric-1` | 370.4 | 370.40 | 370.79(58) |
//! | with `western-electric-2` | 225.4 | 225.64 | 226.03(36) |
//! | with `western-electric-3` | 166.1 | 166.20 | 166.07(26) |
//! | with `western-electric-4` | 152.7 | 152.73 | 152.79(24) |
//! | ewma, lambda 0.5, width 3.071, steady limits | 500 | 499.91 | 499.40(79) |
//! | ewma, lambda 0.4, width 3.054, steady limits | 500 | 499.95 | 499.45(78) |
//! | ewma, lambda 0.25, width 2.998, steady limits | 500 | 499.84 | 499.29(78) |
//! | ewma, lambda 0.2, width 2.962, steady limits | 500 | 499.74 | 499.76(78) |
//! | ewma, lambda 0.1, width 2.814, steady limits | 500 | 499.58 | 498.85(78) |
//! | ewma, lambda 0.03, width 2.437, steady limits | 500 | 499.86 | 499.07(76) |
//! | cusum, k 0.5, h 4 | 168 | 167.68 | 167.62(26) |
//! | cusum, k 0.5, h 4, head start 2 | 149 | 148.70 | 148.62(26) |
//! | cusum, k 0.5, h 5 | 465 | 465.44 | 465.35(72) |
//! | cusum, k 0.5, h 5, head start 2.5 | 430 | 430.39 | 430.65(72) |
//!
//! | chart, process off by | 0.5 sigma: published, simulated | 1 sigma | 2 sigma |
//! |---|---|---|---|
//! | ewma, lambda 0.5, width 3.071, steady limits | 88.8, 88.94(14) | 17.5, 17.48(2) | 3.63, 3.625(3) |
//! | ewma, lambda 0.4, width 3.054, steady limits | 71.2, 71.24(11) | 14.3, 14.25(2) | 3.5, 3.521(3) |
//! | ewma, lambda 0.25, width 2.998, steady limits | 48.2, 48.26(7) | 11.1, 11.13(1) | 3.6, 3.613(2) |
//! | ewma, lambda 0.2, width 2.962, steady limits | 41.8, 41.72(6) | 10.5, 10.54(1) | 3.7, 3.743(2) |
//! | ewma, lambda 0.1, width 2.814, steady limits | 31.3, 31.28(4) | 10.3, 10.329(8) | 4.4, 4.361(2) |
//! | ewma, lambda 0.03, width 2.437, steady limits | 29.3, 29.29(2) | 12.6, 12.588(7) | 5.99, 5.986(2) |
//! | cusum, k 0.5, h 4 | 26.6, 26.63(3) | 8.38, 8.380(7) | 3.34, 3.343(2) |
//! | cusum, k 0.5, h 4, head start 2 | 20.1, 20.05(3) | 5.29, 5.282(7) | 2.01, 2.015(1) |
//! | cusum, k 0.5, h 5 | 38.0, 37.95(5) | 10.4, 10.369(9) | 4.01, 4.009(2) |
//! | cusum, k 0.5, h 5, head start 2.5 | 28.7, 28.64(5) | 6.35, 6.345(7) | 2.36, 2.362(2) |
//!
//! Published by: C. W. Champ and W. H. Woodall, Technometrics 29 (1987), individuals; J. M. Lucas and M. S. Saccucci,
//! Technometrics 32 (1990), EWMA, where lambda is 0.1 to 0.4 as Montgomery reprints it; J. M. Lucas and R. B. Crosier,
//! Technometrics 24 (1982), CUSUM. Champ and Woodall also let a pattern fire that is complete before its window is
//! full, which makes their runs 0.1 per cent shorter.
//!
//! # Values
//!
//! A value must be finite and below 1e150 in magnitude, so that no square overflows. A count must not be negative, a
//! size must be at least 1e-150 and below 1e150; count / size must be below 1e150, and at most 1 for p and np.
//! Anything else is [`Observed::Unusable`] and leaves the state alone. Whatever is judged has finite limits.

pub mod capability;
pub mod constants;

mod chart;
mod definition;
mod group;
mod individuals;
mod kind;
mod phase_one;
mod point;
mod run;
mod state;
mod test;

pub use chart::Chart;
pub use definition::{BadChart, Baseline, ChartKind, EwmaLimits, MAX_SUBGROUP, Subgroups};
pub use individuals::individuals_from;
pub use point::{Limits, Observed, Point, Sample, Spread};
pub use state::ChartState;
pub use test::{Test, Tests};
