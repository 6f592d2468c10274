//! p, np, c and u.

use control_chart::{Baseline, ChartKind, Sample, Test};

use super::{check_limits, fired, points, values};

/// NIST/SEMATECH e-Handbook, 6.3.3.1: defects on 25 wafers. The third, at 28, lies on the upper limit exactly.
#[test]
fn counts_of_the_nist_handbook() {
    let counts = [
        16.0, 14.0, 28.0, 16.0, 12.0, 20.0, 10.0, 12.0, 10.0, 17.0, 19.0, 17.0, 14.0, 16.0, 15.0,
        13.0, 14.0, 16.0, 11.0, 20.0, 11.0, 19.0, 16.0, 31.0, 13.0,
    ];
    let mean = counts.iter().sum::<f64>() / 25.0;
    let points = points(ChartKind::C, Baseline::GivenCenter(mean), values(&counts));
    check_limits(points[0].limits, (Some(4.0), 16.0, Some(28.0)), 1e-12);
    assert_eq!(fired(&points, Test::BeyondLimits), [24]);
}

/// Montgomery's printed circuit boards (R's `circuit`): 516 nonconformities in 26 samples.
#[test]
fn circuit_boards_of_montgomery() {
    let counts = [
        21.0, 24.0, 16.0, 12.0, 15.0, 5.0, 28.0, 20.0, 31.0, 25.0, 20.0, 24.0, 16.0, 19.0, 10.0,
        17.0, 13.0, 22.0, 18.0, 39.0, 30.0, 24.0, 16.0, 19.0, 17.0, 15.0,
    ];
    let mean = counts.iter().sum::<f64>() / 26.0;
    let points = points(ChartKind::C, Baseline::GivenCenter(mean), values(&counts));
    check_limits(
        points[0].limits,
        (Some(6.481_447), 19.846_15, Some(33.210_86)),
        1e-5,
    );
    assert_eq!(fired(&points, Test::BeyondLimits), [6, 20]);
}

/// Montgomery's orange juice cans (NIST/SEMATECH e-Handbook 6.3.3.2 has the same numbers): 30 samples of 50.
const ORANGE_JUICE: [f64; 30] = [
    12.0, 15.0, 8.0, 10.0, 4.0, 7.0, 16.0, 9.0, 14.0, 10.0, 5.0, 6.0, 17.0, 12.0, 22.0, 8.0, 10.0,
    5.0, 13.0, 11.0, 20.0, 18.0, 24.0, 15.0, 9.0, 12.0, 7.0, 13.0, 9.0, 6.0,
];

/// Without the samples 15 and 23 the 21st is beyond the new limits, as the book remarks.
#[test]
fn proportions_of_montgomery() {
    let of_fifty = ORANGE_JUICE.map(|count| Sample::Counted { count, size: 50.0 });
    let p = points(
        ChartKind::P,
        Baseline::GivenCenter(347.0 / 1500.0),
        of_fifty,
    );
    check_limits(
        p[0].limits,
        (Some(0.052_427_55), 0.231_333_3, Some(0.410_239_1)),
        1e-6,
    );
    assert_eq!(p[14].value, 0.44);
    assert_eq!(fired(&p, Test::BeyondLimits), [15, 23]);
    let revised = Baseline::GivenCenter(301.0 / 1400.0);
    let p = points(ChartKind::P, revised, of_fifty);
    check_limits(p[0].limits, (Some(0.0407), 0.2150, Some(0.3893)), 1e-4);
    assert_eq!(fired(&p, Test::BeyondLimits), [15, 21, 23]);
}

/// The same as numbers of nonconforming cans: 50 times the limits of the proportions.
#[test]
fn numbers_of_montgomery() {
    let np = points(
        ChartKind::Np { size: 50.0 },
        Baseline::GivenCenter(347.0 / 30.0),
        values(&ORANGE_JUICE),
    );
    check_limits(
        np[0].limits,
        (Some(2.621_377), 11.566_667, Some(20.511_956)),
        1e-5,
    );
    assert_eq!(fired(&np, Test::BeyondLimits), [15, 23]);
}

/// Montgomery, table 7.11: nonconformities per 50 square metres in ten rolls of dyed cloth of different sizes.
#[test]
fn dyed_cloth_of_montgomery() {
    let rolls = [
        (14.0, 10.0, 0.29, 2.55),
        (12.0, 8.0, 0.16, 2.68),
        (20.0, 13.0, 0.43, 2.41),
        (11.0, 10.0, 0.29, 2.55),
        (7.0, 9.5, 0.26, 2.58),
        (10.0, 10.0, 0.29, 2.55),
        (21.0, 12.0, 0.39, 2.45),
        (16.0, 10.5, 0.32, 2.52),
        (19.0, 12.0, 0.39, 2.45),
        (23.0, 12.5, 0.41, 2.43),
    ];
    let points = points(
        ChartKind::U,
        Baseline::GivenCenter(153.0 / 107.5),
        rolls.map(|(count, size, ..)| Sample::Counted { count, size }),
    );
    for (point, (count, size, lower, upper)) in points.iter().zip(rolls) {
        assert_eq!(point.value, count / size);
        check_limits(point.limits, (Some(lower), 1.42, Some(upper)), 0.0101);
    }
    assert_eq!(
        (points.len(), fired(&points, Test::BeyondLimits)),
        (10, vec![])
    );
}
