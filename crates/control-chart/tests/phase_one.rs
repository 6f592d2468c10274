//! Phase I, streamed, against the formulas of the whole series.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_chart::constants::{c4, d2};
use control_chart::{
    Baseline, Chart, ChartKind, ChartState, EwmaLimits, Limits, Observed, Sample, Subgroups, Tests,
    individuals_from,
};

struct Run {
    chart: Chart,
    state: ChartState,
}

impl Run {
    fn new(kind: ChartKind, points: u32) -> Self {
        let chart = Chart::new(kind, Baseline::Learned { points }, Tests::limits(kind)).unwrap();
        Self {
            chart,
            state: ChartState::default(),
        }
    }

    fn take(&mut self, value: f64) -> Observed {
        self.chart.observe(&mut self.state, Sample::Value(value))
    }

    /// Takes in values that all belong to phase I.
    #[track_caller]
    fn learn(&mut self, values: impl IntoIterator<Item = f64>) {
        for (place, value) in values.into_iter().enumerate() {
            let observed = self.take(value);
            assert!(
                matches!(observed, Observed::Learning | Observed::Gathering),
                "{observed:?} at {place}"
            );
        }
    }

    /// The limits that phase I ended with, which `value` is the first to be judged by.
    #[track_caller]
    fn limits(&mut self, value: f64) -> Limits {
        match self.take(value) {
            Observed::Point(point) => point.limits,
            other => panic!("{other:?}: phase I goes on"),
        }
    }
}

#[track_caller]
fn check(limits: Limits, center: f64, sigma: f64) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
    assert!(
        near(limits.center, center) && near(limits.upper.unwrap(), center + 3.0 * sigma),
        "{limits:?}, not {center} with {sigma}"
    );
}

/// Twenty values within 3 sigma of one another, with mean 10 and moving range 1.
fn steady(n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(|n| if n % 2 == 0 { 10.5 } else { 9.5 })
}

fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    // A uniform number has no outliers.
    std::iter::from_fn(move || Some(10.0 + random.f64()))
}

#[test]
fn individuals_agree_with_the_whole_series() {
    for n in [10, 19, 20, 21, 100] {
        let series: Vec<f64> = noise(n as u64).take(n).collect();
        let (x, _, sigma) = individuals_from(&series).unwrap();
        let mut run = Run::new(ChartKind::Individuals, n as u32);
        run.learn(series);
        check(run.limits(10.5), x.center, sigma);
    }
}

#[test]
fn averages_and_sums_learn_as_individuals_do() {
    let series: Vec<f64> = noise(7).take(50).collect();
    let (x, _, sigma) = individuals_from(&series).unwrap();
    let lambda = 0.2_f64;
    let mut ewma = Run::new(
        ChartKind::Ewma {
            lambda,
            width: 3.0,
            limits: EwmaLimits::Steady,
        },
        50,
    );
    ewma.learn(series.iter().copied());
    check(
        ewma.limits(10.5),
        x.center,
        sigma * (lambda / (2.0 - lambda)).sqrt(),
    );
    let mut cusum = Run::new(
        ChartKind::Cusum {
            k: 0.5,
            h: 3.0,
            head_start: 0.0,
        },
        50,
    );
    cusum.learn(series.iter().copied());
    check(cusum.limits(10.5), 0.0, sigma);
}

#[test]
fn subgroups_agree_with_the_whole_series() {
    let n = 4;
    let series: Vec<f64> = noise(11).take(n * 25).collect();
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let of_groups = |spread: fn(&[f64]) -> f64| series.chunks(n).map(spread).sum::<f64>() / 25.0;
    let range = of_groups(|group| {
        let most = group.iter().copied().fold(f64::MIN, f64::max);
        most - group.iter().copied().fold(f64::MAX, f64::min)
    });
    let deviation = of_groups(|group| {
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        let squares: f64 = group.iter().map(|v| (v - mean).powi(2)).sum();
        (squares / (group.len() - 1) as f64).sqrt()
    });
    for (kind, sigma) in [
        (ChartKind::XbarR(Subgroups::Of(4)), range / d2(4)),
        (ChartKind::XbarS(Subgroups::Of(4)), deviation / c4(4)),
    ] {
        let mut run = Run::new(kind, 25);
        run.learn(series.iter().copied());
        run.learn([10.5; 3]);
        check(run.limits(10.5), mean, sigma / 2.0);
    }
}

/// Subgroups of different sizes count by their readings for the centre, and each through its own constant for sigma.
#[test]
fn subgroups_by_key_are_weighted() {
    let mut run = Run::new(ChartKind::XbarR(Subgroups::ByKey), 10);
    let (mut total, mut readings, mut sigmas) = (0.0, 0.0, 0.0);
    for group in 0..10_u8 {
        let n = 2 + group % 4;
        let values: Vec<f64> = (0..n)
            .map(|v| f64::from(v) + f64::from(group % 2))
            .collect();
        total += values.iter().sum::<f64>();
        readings += f64::from(n);
        sigmas += f64::from(n - 1) / d2(n);
        run.learn(values);
        let ended = run.chart.boundary(&mut run.state);
        assert_eq!(ended, Observed::Learning);
    }
    let sigma = sigmas / 10.0;
    run.learn([1.0; 4]);
    match run.chart.boundary(&mut run.state) {
        Observed::Point(point) => check(point.limits, total / readings, sigma / 2.0),
        other => panic!("{other:?} after phase I"),
    }
}

#[test]
fn counts_are_summed() {
    let samples: Vec<(f64, f64)> = (0..30)
        .map(|n| (f64::from(4 + n % 3), f64::from(40 + n % 7)))
        .collect();
    let total: f64 = samples.iter().map(|(count, _)| count).sum();
    let size: f64 = samples.iter().map(|(_, size)| size).sum();
    for (kind, center) in [
        (ChartKind::P, total / size),
        (ChartKind::U, total / size),
        (ChartKind::C, total / 30.0),
        (ChartKind::Np { size: 50.0 }, total / 30.0),
    ] {
        let mut run = Run::new(kind, 30);
        let take = |run: &mut Run, count, size| {
            run.chart
                .observe(&mut run.state, Sample::Counted { count, size })
        };
        for (count, size) in &samples {
            assert_eq!(take(&mut run, *count, *size), Observed::Learning);
        }
        let Observed::Point(point) = take(&mut run, 5.0, 50.0) else {
            panic!("phase I of {kind:?} goes on");
        };
        assert!((point.limits.center - center).abs() < 1e-12);
    }
}

/// The twenty-first value is an outlier by the first twenty: neither it nor a moving range beside it counts.
#[test]
fn an_outlier_is_left_out() {
    let mut run = Run::new(ChartKind::Individuals, 30);
    run.learn(steady(20));
    // 9.5 before the outlier and 9.5 after it would be a moving range of 0.
    run.learn([100.0]);
    run.learn(steady(10).map(|v| 20.0 - v));
    let sigma = 1.0 / d2(2);
    check(run.limits(10.0), 10.0, sigma);
}

/// Before the twentieth nothing is known well enough to leave a value out.
#[test]
fn an_early_outlier_counts() {
    let mut run = Run::new(ChartKind::Individuals, 30);
    let series: Vec<f64> = steady(19).chain([14.0]).chain(steady(10)).collect();
    let (x, _, sigma) = individuals_from(&series).unwrap();
    run.learn(series);
    check(run.limits(10.0), x.center, sigma);
}

/// Seven left out in a row are outliers.
#[test]
fn seven_in_a_row_are_outliers() {
    let mut run = Run::new(ChartKind::Individuals, 22);
    run.learn(steady(20));
    run.learn([100.0; 7]);
    run.learn(steady(2));
    check(run.limits(10.0), 10.0, 1.0 / d2(2));
}

/// The eighth left out in a row says that the process has moved: phase I starts over with it.
#[test]
fn eight_in_a_row_start_over() {
    let mut run = Run::new(ChartKind::Individuals, 22);
    run.learn(steady(20));
    run.learn([100.0, 101.0, 99.0, 100.0, 101.0, 99.0, 100.0]);
    let moved: Vec<f64> = steady(22).map(|v| v + 90.0).collect();
    run.learn(moved.iter().copied());
    let (x, _, sigma) = individuals_from(&moved).unwrap();
    check(run.limits(100.0), x.center, sigma);
}

/// Phase I ends with the point that brings a sigma, and never at sigma 0.
#[test]
fn a_constant_series_goes_on_learning() {
    let mut run = Run::new(ChartKind::Individuals, 10);
    run.learn([5.0; 500]);
    run.learn([6.0]);
    let sigma = 1.0 / 500.0 / d2(2);
    check(run.limits(5.0), 5.0 + 1.0 / 501.0, sigma);
    let mut counts = Run::new(ChartKind::C, 10);
    counts.learn([0.0; 500]);
    counts.learn([1.0]);
    assert!(matches!(counts.take(1.0), Observed::Point(_)));
    let mut proportions = Run::new(ChartKind::P, 10);
    proportions.learn([1.0; 50]);
    proportions.learn([0.0]);
    assert!(matches!(proportions.take(1.0), Observed::Point(_)));
}

/// What was learned is frozen: nothing that comes later moves the limits.
#[test]
fn limits_are_frozen() {
    let mut run = Run::new(ChartKind::Individuals, 10);
    run.learn(steady(10));
    let first = run.limits(10.0);
    for value in [1e6, -1e6, 10.0, 0.0] {
        assert_eq!(run.limits(value), first);
    }
}
