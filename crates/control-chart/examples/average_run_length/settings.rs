//! The charts whose average run lengths are published.

use control_chart::{ChartKind, EwmaLimits, Test, Tests};

use crate::integral_equation::{cusum, ewma, normal_tail};
use crate::markov_chain::run_length;

/// A chart, a process and what was published of them.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The chart, as a person would call it.
    pub name: String,
    /// Its kind.
    pub kind: ChartKind,
    /// The tests that end a run.
    pub tests: Tests,
    /// How far the process is off its centre, in sigmas.
    pub shift: f64,
    /// The published average run length.
    pub published: f64,
    /// Half a unit of its last digit.
    pub rounding: f64,
    /// The average run length by numerical solution.
    pub computed: f64,
    /// Where it was published.
    pub source: &'static str,
}

const CHAMP_AND_WOODALL: &str = "Champ & Woodall, Technometrics 29 (1987)";
const LUCAS_AND_SACCUCCI: &str = "Lucas & Saccucci, Technometrics 32 (1990), table 3";
const MONTGOMERY: &str =
    "Montgomery, Introduction to Statistical Quality Control, after Lucas & Saccucci";
const LUCAS_AND_CROSIER: &str = "Lucas & Crosier, Technometrics 24 (1982), table 1";

/// Every setting, in the order of the table.
pub fn published() -> Vec<Setting> {
    let mut settings = run_tests();
    settings.extend(averages());
    settings.extend(sums());
    settings
}

fn run_tests() -> Vec<Setting> {
    let one = Test::WesternElectric1;
    [
        (vec![one], 370.4, 0.5 / normal_tail(3.0)),
        (
            vec![one, Test::WesternElectric2],
            225.4,
            run_length(2.0, 2, 3),
        ),
        (
            vec![one, Test::WesternElectric3],
            166.1,
            run_length(1.0, 4, 5),
        ),
        (
            vec![one, Test::WesternElectric4],
            152.7,
            run_length(0.0, 8, 8),
        ),
    ]
    .into_iter()
    .map(|(tests, published, computed)| Setting {
        name: tests
            .iter()
            .map(|test| test.as_str())
            .collect::<Vec<_>>()
            .join(" + "),
        kind: ChartKind::Individuals,
        tests: tests.into_iter().collect(),
        shift: 0.0,
        published,
        rounding: 0.05,
        computed,
        source: CHAMP_AND_WOODALL,
    })
    .collect()
}

/// Two-sided EWMA with steady limits. What Montgomery reprints has one digit less.
fn averages() -> Vec<Setting> {
    let mut settings = Vec::new();
    for (lambda, width, [half, one, two], digit_of_two, source) in [
        (0.5, 3.071, [88.8, 17.5, 3.63], 0.01, LUCAS_AND_SACCUCCI),
        (0.4, 3.054, [71.2, 14.3, 3.5], 0.1, MONTGOMERY),
        (0.25, 2.998, [48.2, 11.1, 3.6], 0.1, MONTGOMERY),
        (0.2, 2.962, [41.8, 10.5, 3.7], 0.1, MONTGOMERY),
        (0.1, 2.814, [31.3, 10.3, 4.4], 0.1, MONTGOMERY),
        (0.03, 2.437, [29.3, 12.6, 5.99], 0.01, LUCAS_AND_SACCUCCI),
    ] {
        let values = [
            (0.0, 500.0, 1.0),
            (0.5, half, 0.1),
            (1.0, one, 0.1),
            (2.0, two, digit_of_two),
        ];
        settings.extend(values.map(|(shift, published, digit)| Setting {
            name: format!("ewma lambda {lambda} width {width}, steady limits"),
            kind: ChartKind::Ewma {
                lambda,
                width,
                limits: EwmaLimits::Steady,
            },
            tests: Tests::of(Test::BeyondLimits),
            shift,
            published,
            rounding: digit / 2.0,
            computed: ewma(lambda, width, shift),
            source,
        }));
    }
    settings
}

/// Two-sided CUSUM with k = 1/2, without and with a head start of h / 2.
fn sums() -> Vec<Setting> {
    let mut settings = Vec::new();
    for (h, head_start, values) in [
        (
            4.0,
            0.0,
            [
                (0.0, 168.0, 0.5),
                (0.5, 26.6, 0.05),
                (1.0, 8.38, 0.005),
                (2.0, 3.34, 0.005),
            ],
        ),
        (
            4.0,
            2.0,
            [
                (0.0, 149.0, 0.5),
                (0.5, 20.1, 0.05),
                (1.0, 5.29, 0.005),
                (2.0, 2.01, 0.005),
            ],
        ),
        (
            5.0,
            0.0,
            [
                (0.0, 465.0, 0.5),
                (0.5, 38.0, 0.05),
                (1.0, 10.4, 0.05),
                (2.0, 4.01, 0.005),
            ],
        ),
        (
            5.0,
            2.5,
            [
                (0.0, 430.0, 0.5),
                (0.5, 28.7, 0.05),
                (1.0, 6.35, 0.005),
                (2.0, 2.36, 0.005),
            ],
        ),
    ] {
        settings.extend(values.map(|(shift, published, rounding)| Setting {
            name: format!("cusum k 0.5 h {h}, head start {head_start}"),
            kind: ChartKind::Cusum {
                k: 0.5,
                h,
                head_start,
            },
            tests: Tests::of(Test::BeyondLimits),
            shift,
            published,
            rounding,
            computed: cusum(0.5, h, head_start, shift),
            source: LUCAS_AND_CROSIER,
        }));
    }
    settings
}
