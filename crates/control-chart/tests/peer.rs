//! The run tests against `u-analytics`, which recomputes them over the whole series.
//!
//! Where its conventions differ, what it finds is narrowed to what they have in common: its 2-of-3 and 4-of-5 do not
//! ask that the last point itself be beyond, and its eight outside 1 sigma may all be on one side.

use control_chart::{Baseline, Chart, ChartKind, ChartState, Observed, Sample, Test, Tests};
use u_analytics::spc::{ChartPoint, ControlLimits, RuleSet, RunRule, ViolationType};

const PEERS: [(Test, ViolationType); 9] = [
    (Test::Nelson1, ViolationType::BeyondLimits),
    (Test::Nelson2, ViolationType::NineOneSide),
    (Test::Nelson3, ViolationType::SixTrend),
    (Test::Nelson4, ViolationType::FourteenAlternating),
    (Test::Nelson5, ViolationType::TwoOfThreeBeyond2Sigma),
    (Test::Nelson6, ViolationType::FourOfFiveBeyond1Sigma),
    (Test::Nelson7, ViolationType::FifteenWithin1Sigma),
    (Test::Nelson8, ViolationType::EightBeyond1Sigma),
    (Test::WesternElectric4, ViolationType::EightOneSide),
];

/// What the peer finds at a point and we look for too. Centre 0, sigma 1.
fn is_common(test: Test, series: &[f64], place: usize) -> bool {
    let newest = series[place];
    let sides = |n: usize, sigmas: f64| {
        let window = &series[place + 1 - n..=place];
        let above = window.iter().filter(|v| **v > sigmas).count();
        let below = window.iter().filter(|v| **v < -sigmas).count();
        (above, below)
    };
    match test {
        Test::Nelson5 => {
            let (above, below) = sides(3, 2.0);
            (above >= 2 && newest > 2.0) || (below >= 2 && newest < -2.0)
        }
        Test::Nelson6 => {
            let (above, below) = sides(5, 1.0);
            (above >= 4 && newest > 1.0) || (below >= 4 && newest < -1.0)
        }
        Test::Nelson8 => {
            let (above, below) = sides(8, 1.0);
            above > 0 && below > 0
        }
        _ => true,
    }
}

#[test]
fn the_peer_finds_the_same() {
    let kind = ChartKind::Individuals;
    let tests = Tests::nelson(kind).union(Tests::western_electric(kind));
    let given = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    let chart = Chart::new(kind, given, tests).unwrap();
    // Whole numbers, so that its (upper limit - centre) / 3 is sigma exactly.
    let limits = ControlLimits {
        ucl: 3.0,
        cl: 0.0,
        lcl: -3.0,
    };
    let rules = RuleSet::nelson().with(ViolationType::EightOneSide);
    let mut random = fastrand::Rng::with_seed(7870);
    let mut common = [0_u32; PEERS.len()];
    for round in 0..3_000 {
        let length = random.usize(1..=200);
        let level = f64::from(random.i8(-2..=2));
        let series: Vec<f64> = (0..length)
            .map(|n| {
                let coarse = f64::from(random.i8(-7..=7)) / 2.0;
                match round % 5 {
                    0 => coarse,
                    1 => level + coarse / 4.0,
                    2 => (coarse.abs() + 0.5) * if n % 2 == 0 { 1.0 } else { -1.0 },
                    3 => (n % 8) as f64 / 2.0 - 2.0 + level / 8.0,
                    _ => level,
                }
            })
            .collect();
        let points: Vec<ChartPoint> = series
            .iter()
            .enumerate()
            .map(|(index, value)| ChartPoint {
                value: *value,
                index,
                violations: Vec::new(),
            })
            .collect();
        let found = rules.check(&points, &limits);
        let mut state = ChartState::default();
        for (place, value) in series.iter().enumerate() {
            let Observed::Point(point) = chart.observe(&mut state, Sample::Value(*value)) else {
                panic!("a given chart judges every point");
            };
            for ((test, peer), common) in PEERS.into_iter().zip(&mut common) {
                let expected = found.contains(&(place, peer)) && is_common(test, &series, place);
                assert_eq!(
                    point.fired.contains(test),
                    expected,
                    "{test:?} at {place} of {series:?}"
                );
                *common += u32::from(expected);
            }
        }
    }
    assert!(common.iter().all(|fired| *fired > 100), "{common:?}");
}
