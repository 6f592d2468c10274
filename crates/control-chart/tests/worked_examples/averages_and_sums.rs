//! EWMA and CUSUM.

use control_chart::{Baseline, ChartKind, EwmaLimits, Test};

use super::{check, check_limits, fired, points, values};

/// NIST/SEMATECH e-Handbook, 6.3.2.4. Its limits take 0.4201 for the square root of 0.3 / 1.7.
#[test]
fn ewma_of_the_nist_handbook() {
    let series = [
        52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8,
        51.2, 52.6, 52.4, 53.6, 52.1,
    ];
    let averages = [
        50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52,
        50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99,
    ];
    let kind = ChartKind::Ewma {
        lambda: 0.3,
        width: 3.0,
        limits: EwmaLimits::Steady,
    };
    let given = Baseline::Given {
        center: 50.0,
        sigma: 2.0539,
    };
    let points = points(kind, given, values(&series));
    for (point, average) in points.iter().zip(averages) {
        check(point.value, average, 0.005 + 1e-9);
        check_limits(point.limits, (Some(47.4115), 50.0, Some(52.5884)), 1e-3);
    }
    assert_eq!(
        (points.len(), fired(&points, Test::BeyondLimits)),
        (20, vec![])
    );
}

/// Data of D. C. Montgomery, *Introduction to Statistical Quality Control*, table 9.1: 20 values of a process in
/// control at 10 with standard deviation 1, then 10 after a shift to 11.
const SHIFTED: [f64; 30] = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40,
    10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62,
    11.31, 10.52,
];

const SHIFTED_BASELINE: Baseline = Baseline::Given {
    center: 10.0,
    sigma: 1.0,
};

/// Montgomery, table 9.2: K = 1/2, H = 5; out of control at the 29th value.
#[test]
fn cusum_of_montgomery() {
    let high = [
        0.0, 0.0, 0.0, 1.16, 2.82, 2.50, 0.04, 1.00, 0.0, 0.0, 0.0, 0.97, 0.98, 0.0, 0.0, 0.0,
        0.12, 0.0, 0.0, 0.34, 0.74, 0.0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30,
    ];
    let kind = ChartKind::Cusum {
        k: 0.5,
        h: 5.0,
        head_start: 0.0,
    };
    let points = points(kind, SHIFTED_BASELINE, values(&SHIFTED));
    for (point, published) in points.iter().zip(high) {
        check(point.cusum.unwrap().0, published, 1e-9);
        assert_eq!(point.limits.upper, Some(5.0));
    }
    assert_eq!(
        fired(&points, Test::BeyondLimits),
        [29, 30],
        "it goes on after a signal"
    );
}

/// Montgomery, example 9.2: lambda = 0.1, L = 2.7 on the same data; the limits of the first two values and the steady
/// ones.
#[test]
fn ewma_of_montgomery() {
    let kind = ChartKind::Ewma {
        lambda: 0.1,
        width: 2.7,
        limits: EwmaLimits::TimeVarying,
    };
    let points = points(kind, SHIFTED_BASELINE, values(&SHIFTED));
    for (point, average) in points.iter().zip([9.945, 9.7495, 9.70355]) {
        check(point.value, average, 1e-9);
    }
    check_limits(points[0].limits, (Some(9.73), 10.0, Some(10.27)), 0.005);
    check_limits(points[1].limits, (Some(9.64), 10.0, Some(10.36)), 0.005);
    check_limits(points[29].limits, (Some(9.38), 10.0, Some(10.62)), 0.005);
    assert_eq!(fired(&points, Test::BeyondLimits), [29, 30]);
}

/// D. C. Montgomery, G. C. Runger, *Applied Statistics and Probability for Engineers*, table 16-8: target 99, K = 1,
/// H = 10 in the unit of the concentration, which is k = 1/2 and h = 5 with sigma = 2.
#[test]
fn cusum_of_montgomery_and_runger() {
    let series = [
        102.0, 94.8, 98.3, 98.4, 102.0, 98.5, 99.0, 97.7, 100.0, 98.1, 101.3, 98.7, 101.1, 98.4,
        97.0, 96.7, 100.3, 101.4, 97.2, 101.0,
    ];
    let high = [
        2.0, 0.0, 0.0, 0.0, 2.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.3, 0.0, 1.1, 0.0, 0.0, 0.0, 0.3, 1.7,
        0.0, 1.0,
    ];
    let low = [
        0.0, 3.2, 2.9, 2.5, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.3, 0.0, 0.0,
        0.8, 0.0,
    ];
    let kind = ChartKind::Cusum {
        k: 0.5,
        h: 5.0,
        head_start: 0.0,
    };
    let given = Baseline::Given {
        center: 99.0,
        sigma: 2.0,
    };
    let points = points(kind, given, values(&series));
    for ((point, high), low) in points.iter().zip(high).zip(low) {
        let sums = point.cusum.unwrap();
        check(sums.0, high, 1e-9);
        check(sums.1, low, 1e-9);
        assert_eq!(point.value, sums.0.max(sums.1));
        assert_eq!(point.limits.upper, Some(10.0));
    }
    assert_eq!(
        (points.len(), fired(&points, Test::BeyondLimits)),
        (20, vec![])
    );
}
