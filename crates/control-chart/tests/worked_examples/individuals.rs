//! Individual values and their moving range.

use control_chart::{Baseline, ChartKind, Limits, Test, individuals_from};

use super::{check, check_limits, fired, points, values};

/// NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: the flow rate of ten batches of liquid.
#[test]
fn individuals_of_the_nist_handbook() {
    let series = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1];
    let (x, moving_range, sigma) = individuals_from(&series).unwrap();
    check(sigma, 1.8778 / 1.128, 1e-3);
    check_limits(x, (Some(45.8159), 50.81, Some(55.8041)), 2e-3);
    check(moving_range.center, 1.8778, 1e-4);
    let given = Baseline::Given {
        center: x.center,
        sigma,
    };
    let points = points(ChartKind::Individuals, given, values(&series));
    check_limits(
        points[0].limits,
        (Some(45.8159), 50.81, Some(55.8041)),
        2e-3,
    );
    assert_eq!(fired(&points, Test::BeyondLimits), []);
}

/// D. J. Wheeler, *Making Sense of Data*. The book rounds its constants to 2.66 and 3.268.
#[test]
fn individuals_of_wheeler() {
    let software = [
        5045.0, 4350.0, 4350.0, 3975.0, 4290.0, 4430.0, 4485.0, 4285.0, 3980.0, 3925.0, 3645.0,
        3760.0, 3300.0, 3685.0, 3463.0, 5200.0,
    ];
    let peak_flow = [
        120.0, 140.0, 100.0, 150.0, 260.0, 150.0, 100.0, 120.0, 300.0, 300.0, 275.0, 300.0, 140.0,
        170.0, 150.0, 150.0, 190.0, 180.0,
    ];
    for (series, center, lower, upper, mean_range, upper_range) in [
        (&software[..], 4135.5, 3188.72, 5082.28, 355.93, 1163.19),
        (&peak_flow[..], 183.1, 43.8, 322.3, 52.4, 171.1),
    ] {
        let (x, moving_range, sigma) = individuals_from(series).unwrap();
        check(x.center, center, 0.05);
        check(x.lower.unwrap(), lower, 2e-3 * lower);
        check(x.upper.unwrap(), upper, 2e-3 * upper);
        check(moving_range.center, mean_range, 0.05);
        check(moving_range.upper.unwrap(), upper_range, 2e-3 * upper_range);
        assert_eq!(moving_range.lower, None);
        let given = Baseline::Given { center, sigma };
        let points = points(ChartKind::Individuals, given, values(series));
        assert_eq!(points[0].spread, None);
        for (point, pair) in points[1..].iter().zip(series.windows(2)) {
            let spread = point.spread.unwrap();
            assert_eq!(spread.value, (pair[1] - pair[0]).abs());
            check(
                spread.limits.upper.unwrap(),
                upper_range,
                2e-3 * upper_range,
            );
        }
    }
}

/// Wheeler again: the 14th value lies on the upper limit of 60.7, and is not beyond it. 60.7 is the mean plus three
/// sigmas of this chart to the last bit.
#[test]
fn a_point_on_the_limit_is_not_beyond() {
    let series = [
        55.6, 54.7, 54.9, 54.8, 56.9, 55.7, 53.8, 54.8, 53.4, 57.0, 59.4, 63.2, 60.9, 60.7, 58.6,
        57.3, 56.9, 58.1, 58.3, 50.9, 53.3, 52.5, 50.8, 52.9,
    ];
    let (x, moving_range, _) = individuals_from(&series).unwrap();
    let limits = Limits {
        upper: Some(60.7),
        ..x
    };
    let beyond = |limits: Limits, series: &[f64]| -> Vec<usize> {
        (0..)
            .zip(series)
            .filter(|(_, value)| limits.is_exceeded(**value))
            .map(|(place, _)| place)
            .collect()
    };
    assert_eq!(beyond(limits, &series), [11, 12, 19, 22]);
    let ranges: Vec<f64> = series
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    assert_eq!(
        beyond(moving_range, &ranges),
        [18],
        "the range that ends at the 20th value"
    );
    let center = 56.0;
    let sigma = (60.7 - center) / 3.0;
    assert_eq!(center + 3.0 * sigma, 60.7);
    let points = points(
        ChartKind::Individuals,
        Baseline::Given { center, sigma },
        values(&series),
    );
    assert_eq!(fired(&points, Test::BeyondLimits), [12, 13, 20, 23]);
}
