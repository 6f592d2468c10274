//! Charts that cannot be set up: the parameter is named, and what is wrong with it.

use control_chart::{Baseline, Chart, ChartKind, EwmaLimits, Subgroups, Test, Tests};

#[track_caller]
fn check(kind: ChartKind, baseline: Baseline, tests: Tests, expected: Result<(), &str>) {
    let found = Chart::new(kind, baseline, tests)
        .map(|_| ())
        .map_err(|bad| bad.to_string());
    assert_eq!(
        found,
        expected.map_err(str::to_owned),
        "{kind:?} with {baseline:?}"
    );
}

const GIVEN: Baseline = Baseline::Given {
    center: 40.0,
    sigma: 10.0,
};

fn ewma(lambda: f64, width: f64) -> ChartKind {
    ChartKind::Ewma {
        lambda,
        width,
        limits: EwmaLimits::TimeVarying,
    }
}

fn cusum(k: f64, h: f64, head_start: f64) -> ChartKind {
    ChartKind::Cusum { k, h, head_start }
}

#[test]
fn parameters_have_their_ranges() {
    let xbar = |n| ChartKind::XbarR(Subgroups::Of(n));
    for (kind, expected) in [
        (xbar(1), Err("subgroup must be 2 to 25 readings")),
        (xbar(2), Ok(())),
        (xbar(25), Ok(())),
        (xbar(26), Err("subgroup must be 2 to 25 readings")),
        (ewma(0.0, 3.0), Err("lambda must be above 0 and at most 1")),
        (ewma(1.0, 3.0), Ok(())),
        (ewma(1.1, 3.0), Err("lambda must be above 0 and at most 1")),
        (
            ewma(f64::NAN, 3.0),
            Err("lambda must be above 0 and at most 1"),
        ),
        (
            ewma(0.2, 0.0),
            Err("width must be above 0 and at most 100 standard deviations"),
        ),
        (
            ewma(0.2, f64::NAN),
            Err("width must be above 0 and at most 100 standard deviations"),
        ),
        (cusum(-0.1, 5.0, 0.0), Err("k must be 0 to 100 sigmas")),
        (cusum(0.0, 5.0, 0.0), Ok(())),
        (cusum(f64::NAN, 5.0, 0.0), Err("k must be 0 to 100 sigmas")),
        (
            cusum(0.5, 0.0, 0.0),
            Err("h must be above 0 and at most 1000 sigmas"),
        ),
        (
            cusum(0.5, f64::INFINITY, 0.0),
            Err("h must be above 0 and at most 1000 sigmas"),
        ),
        (
            cusum(0.5, 5.0, -1.0),
            Err("head_start must be at least 0 and below h"),
        ),
        (cusum(0.5, 5.0, 4.9), Ok(())),
        (
            cusum(0.5, 5.0, 5.0),
            Err("head_start must be at least 0 and below h"),
        ),
        (
            cusum(0.5, 5.0, f64::NAN),
            Err("head_start must be at least 0 and below h"),
        ),
    ] {
        check(kind, GIVEN, Tests::limits(kind), expected);
    }
}

#[test]
fn baselines_have_their_ranges() {
    let x = ChartKind::Individuals;
    let np = ChartKind::Np { size: 50.0 };
    let given = |center, sigma| Baseline::Given { center, sigma };
    let learned = |points| Baseline::Learned { points };
    let center = Baseline::GivenCenter;
    for (kind, baseline, expected) in [
        (
            x,
            given(f64::NAN, 1.0),
            Err("center must be a finite number below 1e150"),
        ),
        (
            x,
            given(f64::INFINITY, 1.0),
            Err("center must be a finite number below 1e150"),
        ),
        (x, given(0.0, 0.0), Err("sigma must be above 0")),
        (x, given(0.0, -1.0), Err("sigma must be above 0")),
        (x, given(0.0, f64::NAN), Err("sigma must be above 0")),
        (x, center(40.0), Err("sigma must be given with center")),
        (x, learned(9), Err("learn must be 10 to 100000 points")),
        (x, learned(10), Ok(())),
        (x, learned(100_000), Ok(())),
        (
            x,
            learned(100_001),
            Err("learn must be 10 to 100000 points"),
        ),
        (
            ChartKind::P,
            given(0.1, 0.01),
            Err("sigma of p charts follows from their centre"),
        ),
        (
            ChartKind::P,
            center(0.0),
            Err("center must be above 0 and below 1"),
        ),
        (
            ChartKind::P,
            center(1.0),
            Err("center must be above 0 and below 1"),
        ),
        (ChartKind::P, center(0.5), Ok(())),
        (
            np,
            center(50.0),
            Err("center must be above 0 and below the size"),
        ),
        (np, center(49.0), Ok(())),
        (
            ChartKind::Np { size: 0.0 },
            center(1.0),
            Err("size must be above 0"),
        ),
        (
            ChartKind::Np { size: f64::NAN },
            learned(20),
            Err("size must be above 0"),
        ),
        (ChartKind::C, center(0.0), Err("center must be above 0")),
        (
            ChartKind::U,
            center(f64::NAN),
            Err("center must be above 0"),
        ),
        (ChartKind::U, center(3.0), Ok(())),
    ] {
        check(kind, baseline, Tests::limits(kind), expected);
    }
}

#[test]
fn tests_have_to_say_something_of_the_chart() {
    let x = ChartKind::Individuals;
    check(x, GIVEN, Tests::default(), Err("tests are none"));
    check(
        x,
        GIVEN,
        Tests::nelson(x).union(Tests::western_electric(x)),
        Ok(()),
    );
    check(
        x,
        GIVEN,
        Tests::of(Test::RangeBeyondLimits),
        Err(
            "tests of individuals charts cannot be range-beyond-limits: they have no such second chart",
        ),
    );
    check(
        ChartKind::C,
        Baseline::GivenCenter(4.0),
        Tests::of(Test::MovingRangeBeyondLimits),
        Err(
            "tests of c charts cannot be moving-range-beyond-limits: they have no such second chart",
        ),
    );
    for kind in [ewma(0.2, 3.0), cusum(0.5, 5.0, 0.0)] {
        check(
            kind,
            GIVEN,
            Tests::western_electric(kind),
            Err(&format!(
                "tests of {} charts cannot be western-electric-1: their points depend on one another, so that only \
                 beyond-limits says something",
                kind.as_str()
            )),
        );
    }
}
