//! The run tests against a literal statement of their definitions: at every point, over the whole series so far,
//! window by window, nothing carried over.

use control_chart::{
    Baseline, Chart, ChartKind, ChartState, Observed, Point, Sample, Subgroups, Test, Tests,
};

/// Does `test` fire at the last of `values`, on a chart with this centre and sigma at that point?
fn fires(test: Test, values: &[f64], center: f64, sigma: f64) -> bool {
    let newest = values[values.len() - 1];
    let window = |n: usize| values.len().checked_sub(n).map(|start| &values[start..]);
    let above = |v: f64, sigmas: f64| v > center + sigmas * sigma;
    let below = |v: f64, sigmas: f64| v < center - sigmas * sigma;
    let some_of = |least: usize, n: usize, sigmas: f64| {
        window(n).is_some_and(|w| {
            let is_high =
                above(newest, sigmas) && w.iter().filter(|v| above(**v, sigmas)).count() >= least;
            let is_low =
                below(newest, sigmas) && w.iter().filter(|v| below(**v, sigmas)).count() >= least;
            is_high || is_low
        })
    };
    let one_side = |n: usize| {
        window(n).is_some_and(|w| w.iter().all(|v| *v > center) || w.iter().all(|v| *v < center))
    };
    match test {
        Test::WesternElectric2 | Test::Nelson5 => some_of(2, 3, 2.0),
        Test::WesternElectric3 | Test::Nelson6 => some_of(4, 5, 1.0),
        Test::WesternElectric4 => one_side(8),
        Test::Nelson2 => one_side(9),
        Test::Nelson3 => window(6).is_some_and(|w| {
            w.windows(2).all(|pair| pair[0] < pair[1]) || w.windows(2).all(|pair| pair[0] > pair[1])
        }),
        Test::Nelson4 => window(14).is_some_and(|w| {
            w.windows(3).all(|three| {
                let up_down = three[0] < three[1] && three[1] > three[2];
                let down_up = three[0] > three[1] && three[1] < three[2];
                up_down || down_up
            })
        }),
        Test::Nelson7 => {
            window(15).is_some_and(|w| w.iter().all(|v| !above(*v, 1.0) && !below(*v, 1.0)))
        }
        Test::Nelson8 => window(8).is_some_and(|w| {
            w.iter().all(|v| above(*v, 1.0) || below(*v, 1.0))
                && w.iter().any(|v| above(*v, 1.0))
                && w.iter().any(|v| below(*v, 1.0))
        }),
        _ => panic!("{test:?} is no run test"),
    }
}

const RUN_TESTS: [Test; 10] = [
    Test::WesternElectric2,
    Test::WesternElectric3,
    Test::WesternElectric4,
    Test::Nelson2,
    Test::Nelson3,
    Test::Nelson4,
    Test::Nelson5,
    Test::Nelson6,
    Test::Nelson7,
    Test::Nelson8,
];

const OF_LIMITS: [Test; 3] = [Test::BeyondLimits, Test::WesternElectric1, Test::Nelson1];

fn every_test(kind: ChartKind) -> Tests {
    Tests::limits(kind)
        .union(Tests::western_electric(kind))
        .union(Tests::nelson(kind))
}

/// How often each test fired, and how often not.
#[derive(Default)]
struct Seen([(u32, u32); 10]);

impl Seen {
    /// Judges the points of a series and compares every one of them.
    #[track_caller]
    fn compare(&mut self, points: &[Point]) {
        let mut values = Vec::new();
        for point in points {
            values.push(point.value);
            for (test, seen) in RUN_TESTS.into_iter().zip(&mut self.0) {
                let expected = fires(test, &values, point.limits.center, point.sigma);
                assert_eq!(
                    point.fired.contains(test),
                    expected,
                    "{test:?} at the last of {values:?}, sigma {}",
                    point.sigma
                );
                let count = if expected { &mut seen.0 } else { &mut seen.1 };
                *count += 1;
            }
            for test in OF_LIMITS {
                let is_below = point.limits.lower.is_some_and(|lower| point.value < lower);
                let is_above = point.limits.upper.is_some_and(|upper| point.value > upper);
                assert_eq!(point.fired.contains(test), is_below || is_above);
            }
        }
    }

    /// Every test has been seen both ways often enough for the comparison to mean something.
    #[track_caller]
    fn is_telling(&self, least: u32) {
        for (test, (fired, passed)) in RUN_TESTS.into_iter().zip(self.0) {
            assert!(
                fired >= least && passed >= least,
                "{test:?} fired {fired} times, and {passed} times not"
            );
        }
    }
}

fn points(chart: &Chart, samples: impl IntoIterator<Item = Sample>) -> Vec<Point> {
    let mut state = ChartState::default();
    samples
        .into_iter()
        .filter_map(|sample| match chart.observe(&mut state, sample) {
            Observed::Point(point) => Some(point),
            other => {
                assert_eq!(other, Observed::Gathering);
                None
            }
        })
        .collect()
}

/// A series in units of sigma about the centre, in one of the manners that tests look for.
fn series(random: &mut fastrand::Rng) -> Vec<f64> {
    let length = random.usize(1..=200);
    let manner = random.u8(0..9);
    let level = f64::from(random.i8(-4..=4)) / 2.0;
    (0..length)
        .map(|n| {
            let n = n as f64;
            // Half sigmas: many ties, many points exactly on a line.
            let coarse = f64::from(random.i8(-7..=7)) / 2.0;
            let fine = random.f64() * 6.0 - 3.0;
            match manner {
                0 => coarse,
                1 => fine,
                2 => level,
                3 => level + fine / 4.0,
                4 => level + (n % 9.0) / 4.0 * if random.u8(0..8) == 0 { -1.0 } else { 1.0 },
                5 => (if n % 2.0 == 0.0 { 1.0 } else { -1.0 }) * (coarse.abs() + 0.5),
                6 => coarse.clamp(-1.0, 1.0),
                7 => {
                    let side = if random.bool() { 1.0 } else { -1.0 };
                    side * (1.0 + f64::from(random.i8(0..=2)) / 2.0)
                }
                _ => (coarse + level) / 2.0,
            }
        })
        .collect()
}

#[test]
fn fixed_limits_agree_with_the_definitions() {
    let mut random = fastrand::Rng::with_seed(1956);
    let mut seen = Seen::default();
    for (center, sigma) in [(0.0, 1.0), (40.0, 10.0), (-7.25, 0.125), (1e6, 1e-3)] {
        let kind = ChartKind::Individuals;
        let given = Baseline::Given { center, sigma };
        let chart = Chart::new(kind, given, every_test(kind)).unwrap();
        for _ in 0..1_000 {
            let series = series(&mut random);
            let samples = series.iter().map(|v| Sample::Value(center + sigma * v));
            seen.compare(&points(&chart, samples));
        }
    }
    seen.is_telling(100);
}

/// Lower limits that do not exist move no zone.
#[test]
fn counts_agree_with_the_definitions() {
    let mut random = fastrand::Rng::with_seed(1984);
    for (kind, center) in [
        (ChartKind::C, 4.0),
        (ChartKind::C, 100.0),
        (ChartKind::Np { size: 50.0 }, 10.0),
    ] {
        let mut seen = Seen::default();
        let chart = Chart::new(kind, Baseline::GivenCenter(center), every_test(kind)).unwrap();
        for _ in 0..500 {
            let sigma = center.sqrt();
            let samples: Vec<_> = series(&mut random)
                .iter()
                .map(|v| {
                    Sample::Value(
                        (center + sigma * v)
                            .round()
                            .clamp(0.0, 50.0_f64.max(2.0 * center)),
                    )
                })
                .collect();
            seen.compare(&points(&chart, samples));
        }
    }
}

/// p and u: the window is judged by the limits of its last point.
#[test]
fn varying_limits_agree_with_the_definitions() {
    let mut random = fastrand::Rng::with_seed(1931);
    let mut seen = Seen::default();
    for (kind, center) in [(ChartKind::P, 0.5), (ChartKind::U, 9.0)] {
        let chart = Chart::new(kind, Baseline::GivenCenter(center), every_test(kind)).unwrap();
        for _ in 0..1_500 {
            let is_constant = random.bool();
            let samples: Vec<_> = series(&mut random)
                .iter()
                .map(|v| {
                    let size = if is_constant {
                        64.0
                    } else {
                        f64::from(random.u8(16..=100))
                    };
                    let sigma = match kind {
                        ChartKind::P => (center * (1.0 - center) / size).sqrt(),
                        _ => (center / size).sqrt(),
                    };
                    let most = if kind == ChartKind::P { 1.0 } else { 100.0 };
                    let count = ((center + sigma * v).clamp(0.0, most) * size).round();
                    Sample::Counted { count, size }
                })
                .collect();
            seen.compare(&points(&chart, samples));
        }
    }
    seen.is_telling(100);
}

/// Subgroups of different sizes: means whose sigma differs from point to point.
#[test]
fn subgroups_by_key_agree_with_the_definitions() {
    let mut random = fastrand::Rng::with_seed(1924);
    let mut seen = Seen::default();
    let kind = ChartKind::XbarS(Subgroups::ByKey);
    let given = Baseline::Given {
        center: 10.0,
        sigma: 2.0,
    };
    let chart = Chart::new(kind, given, every_test(kind)).unwrap();
    for _ in 0..500 {
        let mut state = ChartState::default();
        let mut judged = Vec::new();
        for mean in series(&mut random) {
            let n = random.u8(2..=6);
            for place in 0..n {
                let apart = f64::from(place) - f64::from(n - 1) / 2.0;
                let value = 10.0 + mean + apart / 2.0;
                assert_eq!(
                    chart.observe(&mut state, Sample::Value(value)),
                    Observed::Gathering
                );
            }
            match chart.boundary(&mut state) {
                Observed::Point(point) => judged.push(point),
                other => panic!("{other:?} of {n} readings"),
            }
        }
        seen.compare(&judged);
    }
    seen.is_telling(50);
}

/// The same series gives the same firings whether its limits are known to stay or might vary.
#[test]
fn constant_sizes_agree_with_fixed_limits() {
    let mut random = fastrand::Rng::with_seed(1950);
    let p = Chart::new(
        ChartKind::P,
        Baseline::GivenCenter(0.25),
        every_test(ChartKind::P),
    )
    .unwrap();
    let kind = ChartKind::Individuals;
    let sigma = (0.25_f64 * 0.75 / 64.0).sqrt();
    let given = Baseline::Given {
        center: 0.25,
        sigma,
    };
    let tests = every_test(ChartKind::P);
    let x = Chart::new(kind, given, tests).unwrap();
    for _ in 0..500 {
        let counts: Vec<f64> = series(&mut random)
            .iter()
            .map(|v| ((0.25 + sigma * v).clamp(0.0, 1.0) * 64.0).round())
            .collect();
        let sized = counts.iter().map(|count| Sample::Counted {
            count: *count,
            size: 64.0,
        });
        let plain = counts.iter().map(|count| Sample::Value(count / 64.0));
        for (p, x) in points(&p, sized).iter().zip(points(&x, plain)) {
            assert_eq!(p.fired, x.fired);
        }
    }
}

/// A test alone remembers as much as it needs: it fires where it fires among all.
#[test]
fn each_test_alone_fires_as_among_all() {
    let mut random = fastrand::Rng::with_seed(1965);
    let x = ChartKind::Individuals;
    let unit = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    let level = Baseline::GivenCenter(9.0);
    for (kind, baseline, center, sigma) in [(x, unit, 0.0, 1.0), (ChartKind::U, level, 9.0, 3.0)] {
        let all = Chart::new(kind, baseline, every_test(kind)).unwrap();
        let alone = RUN_TESTS.map(|test| Chart::new(kind, baseline, Tests::of(test)).unwrap());
        for _ in 0..300 {
            let samples: Vec<_> = series(&mut random)
                .iter()
                .map(|v| {
                    Sample::Value((center + sigma * v).max(if kind == x { -9.0 } else { 0.0 }))
                })
                .collect();
            let expected = points(&all, samples.iter().copied());
            for (test, alone) in RUN_TESTS.into_iter().zip(&alone) {
                for (point, expected) in
                    points(alone, samples.iter().copied()).iter().zip(&expected)
                {
                    let fires: Tests = expected
                        .fired
                        .iter()
                        .filter(|fired| *fired == test)
                        .collect();
                    assert_eq!(point.fired, fires);
                }
            }
        }
    }
}
