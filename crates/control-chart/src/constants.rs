//! The constants of subgroups of n normal values with standard deviation 1: d2 is the mean of their range, d3 the
//! range's standard deviation, c4 the mean of their sample standard deviation.
//!
//! Definitions: d2 = ∫ 1 - F(x)^n - (1 - F(x))^n dx; d3² = 2 ∫∫ 1 - F(y)^n - (1 - F(x))^n + (F(y) - F(x))^n dx dy - d2²
//! over x < y; c4 = sqrt(2 / (n - 1)) G(n / 2) / G((n - 1) / 2) with the gamma function G. Computed from them to the
//! digits given, they agree with ASTM's *Manual on Presentation of Data and Control Chart Analysis* (MNL 7), table 49.

/// Largest subgroup that the constants are given for.
pub const MAX_N: u8 = 25;

/// d2, d3 and c4 for n = 2, 3, …
const TABLE: [(f64, f64, f64); 24] = [
    (std::f64::consts::FRAC_2_SQRT_PI, 0.85250247, 0.79788456),
    (1.69256875, 0.88836800, 0.88622693),
    (2.05875075, 0.87980820, 0.92131773),
    (2.32592895, 0.86408194, 0.93998560),
    (2.53441272, 0.84803969, 0.95153286),
    (2.70435675, 0.83320534, 0.95936879),
    (2.84720061, 0.81983149, 0.96503046),
    (2.97002632, 0.80783427, 0.96931070),
    (3.07750546, 0.79705067, 0.97265927),
    (3.17287270, 0.78731462, 0.97535008),
    (3.25845528, 0.77847834, 0.97755935),
    (3.33598035, 0.77041620, 0.97940560),
    (3.40676311, 0.76302310, 0.98097144),
    (3.47182689, 0.75621143, 0.98231618),
    (3.53198279, 0.74990809, 0.98348353),
    (3.58788396, 0.74405178, 0.98450641),
    (3.64006376, 0.73859085, 0.98541004),
    (3.68896302, 0.73348150, 0.98621414),
    (3.73495012, 0.72868635, 0.98693427),
    (3.77833583, 0.72417334, 0.98758293),
    (3.81938464, 0.71991481, 0.98817025),
    (3.85832342, 0.71588674, 0.98870455),
    (3.89534815, 0.71206818, 0.98919267),
    (3.93062922, 0.70844077, 0.98964038),
];

/// The mean range of `n` standard normal values, 2 to 25.
pub fn d2(n: u8) -> f64 {
    row(n).0
}

/// The standard deviation of the range of `n` standard normal values, 2 to 25.
pub fn d3(n: u8) -> f64 {
    row(n).1
}

/// The mean sample standard deviation of `n` standard normal values, 2 to 25.
pub fn c4(n: u8) -> f64 {
    row(n).2
}

/// Outside 2 to 25 the nearest.
fn row(n: u8) -> (f64, f64, f64) {
    TABLE[usize::from(n.clamp(2, MAX_N) - 2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(actual: f64, expected: f64, digits: i32) {
        assert!(
            (actual - expected).abs() < 0.51 * 10_f64.powi(-digits),
            "{actual}, not {expected}"
        );
    }

    /// ASTM MNL 7 as every textbook reprints it.
    #[test]
    fn published_tables_agree() {
        for (n, published_d2, published_d3, published_c4) in [
            (2, 1.128, 0.853, 0.7979),
            (3, 1.693, 0.888, 0.8862),
            (4, 2.059, 0.880, 0.9213),
            (5, 2.326, 0.864, 0.9400),
            (6, 2.534, 0.848, 0.9515),
            (7, 2.704, 0.833, 0.9594),
            (8, 2.847, 0.820, 0.9650),
            (9, 2.970, 0.808, 0.9693),
            (10, 3.078, 0.797, 0.9727),
            (15, 3.472, 0.756, 0.9823),
            (20, 3.735, 0.729, 0.9869),
            (25, 3.931, 0.708, 0.9896),
        ] {
            check(d2(n), published_d2, 3);
            check(d3(n), published_d3, 3);
            check(c4(n), published_c4, 4);
        }
    }

    #[test]
    fn two_values_have_closed_forms() {
        let pi = std::f64::consts::PI;
        check(d2(2), 2.0 / pi.sqrt(), 8);
        check(d3(2), (2.0 - 4.0 / pi).sqrt(), 8);
        check(c4(2), (2.0 / pi).sqrt(), 8);
    }

    #[test]
    fn c4_is_made_of_gamma_functions() {
        for n in 2..=MAX_N {
            let x = f64::from(n);
            let quotient = (libm::lgamma(x / 2.0) - libm::lgamma((x - 1.0) / 2.0)).exp();
            check(c4(n), (2.0 / (x - 1.0)).sqrt() * quotient, 8);
        }
    }

    /// By the trapezoid rule, which converges fast for what vanishes at both ends.
    #[test]
    fn d2_and_d3_are_integrals() {
        let step = 0.05;
        let at = |place: i32| {
            let x = f64::from(place) * step / std::f64::consts::SQRT_2;
            (0.5 * libm::erfc(-x), 0.5 * libm::erfc(x))
        };
        let nodes: Vec<(f64, f64)> = (-160..=160).map(at).collect();
        for n in 2..=MAX_N {
            let power = i32::from(n);
            let outside = |below: f64, above: f64| 1.0 - below.powi(power) - above.powi(power);
            let mean = step * nodes.iter().map(|(f, g)| outside(*f, *g)).sum::<f64>();
            check(d2(n), mean, 8);
            let mut half_square = 0.0;
            for (place, (f, above)) in nodes.iter().enumerate() {
                half_square += 0.5 * outside(*f, *above);
                for (below, _) in &nodes[place + 1..] {
                    half_square += outside(*below, *above) + (below - f).powi(power);
                }
            }
            let square = 2.0 * half_square * step * step;
            // The corner on the diagonal costs digits.
            check(d3(n), (square - mean * mean).sqrt(), 3);
        }
    }
}
